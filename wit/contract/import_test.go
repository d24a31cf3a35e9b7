package contract_test

import (
	"slices"
	"strings"
	"testing"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/wittest"
)

// pay is what a provider exports, in a version that has grown.
const pay = `
	package demo:pay@2.3.1 {
		interface types { enum currency { eur, usd, chf } }
		interface api {
			use types.{currency};
			flags marks { paid, gift }
			record order { note: option<string>, id: u32, amount: tuple<u64, currency>, marks: marks, more: option<u8> }
			variant trouble { declined(string), unavailable, fraud }
			refund: func(id: u32) -> bool;
			charge: func(order: order, dry: bool) -> result<order, trouble>;
			count: func() -> list<list<currency>>;
		}
	}
	world w { export demo:pay/types@2.3.1; export demo:pay/api@2.3.1; }`

// payer is a component that imports it as it was.
const payer = `
	package demo:pay@2.3.0 {
		interface types { enum currency { usd, eur } }
		interface api {
			use types.{currency};
			flags marks { paid }
			record order { id: u32, amount: tuple<u64, currency>, marks: marks }
			variant trouble { unavailable, declined(string) }
			charge: func(order: order, dry: bool) -> result<order, trouble>;
			count: func() -> list<list<currency>>;
		}
	}
	world w { import demo:pay/types@2.3.0; import demo:pay/api@2.3.0; export run: func(); }`

// payments are the contracts of pay, and its service.
func payments(t *testing.T) (map[string]*weftv1.Contract, *contract.Service) {
	t.Helper()
	built, err := contract.Build(contract.Input{Function: "pay", World: wittest.MustParse(pay)})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*weftv1.Contract{"demo.pay.v2": built.Contracts[0]}, built.Services[0]
}

func importOf(t *testing.T, text string) *wit.Interface {
	t.Helper()
	for _, i := range wittest.MustParse(text).Imports {
		if i.Name == "api" {
			return i
		}
	}
	t.Fatal("no import")
	return nil
}

func TestBindImport(t *testing.T) {
	contracts, export := payments(t)
	s, err := contract.BindImport(importOf(t, payer), contracts)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "demo.pay.v2.Api" || s.Interface != "demo:pay/api@2.3.0" || len(s.Methods) != 2 {
		t.Fatalf("service is %+v", s)
	}
	charge := s.Methods[0]
	if charge.Name != "Charge" || charge.Request != "demo.pay.v2.ChargeRequest" || !charge.Fallible {
		t.Errorf("charge is %+v", charge)
	}
	if got, want := numbers([]*contract.Service{{Methods: []*contract.Method{charge}}}), []int32{1, 2, 3, 1, 2, 2, 1, 4, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("numbers are %v, want %v", got, want)
	}
	if got := charge.Error.Shape.Fields; got[0].Number != 2 || got[1].Number != 1 {
		t.Errorf("cases of the error are %+v", got)
	}
	if got := charge.Params[0].Shape.Fields[1].Shape.Fields[1].Shape.Numbers; !slices.Equal(got, []int32{2, 1}) {
		t.Errorf("the currency's numbers are %v", got)
	}
	if err := contract.Serves(export, s); err != nil {
		t.Error(err)
	}
}

// TestPackages expects all packages whose contracts a component touches, those of the types that it uses included.
func TestPackages(t *testing.T) {
	world := wittest.MustParse(`
		package demo:money@1.0.0 { interface types { enum currency { eur, usd } } }
		package demo:pay@2.3.0 {
			interface api {
				use demo:money/types@1.0.0.{currency};
				charge: func(amount: u64, in: currency);
			}
		}
		package demo:shop@0.1.0 { interface shop { buy: func(); } }
		world w { import demo:money/types@1.0.0; import demo:pay/api@2.3.0; export demo:shop/shop@0.1.0; export run: func(); }`)
	want := []string{"demo.money.v1", "demo.pay.v2", "demo.shop.v0_1", "my_shop"}
	if got := contract.Packages("my-shop", world); !slices.Equal(got, want) {
		t.Errorf("packages %q, want %q", got, want)
	}
}

func TestBindImportRefused(t *testing.T) {
	contracts, _ := payments(t)
	tests := []struct{ old, new, want string }{
		{"order { id", "order { memo: string, id", "type order, field memo: the contract of demo.pay.v2 has no field of type string for it"},
		{"order { id", "order { note: string, id", "type order, field note: it is string, and option<string> in the contract of demo.pay.v2"},
		{"id: u32", "id: s32", "type order, field id: it is s32, and u32 in the contract of demo.pay.v2"},
		{"charge:", "debit:", "function debit: the contract of demo.pay.v2 does not know it"},
		{"dry: bool", "dry: u8", "function charge, parameter dry: it is u8, and bool in the contract of demo.pay.v2"},
		{"dry: bool", "wet: bool", "function charge, parameter wet: the contract of demo.pay.v2 has no field of type bool for it"},
		{"result<order, trouble>", "order", "function charge: it returns no error, and an error of type demo.pay.v2.Trouble in the contract of demo.pay.v2"},
		{"result<order, trouble>", "result<order, string>", "function charge: the contract of demo.pay.v2 does not know it"},
		{"result<order, trouble>", "result<u8, trouble>", "function charge, response: it is u8, and demo.pay.v2.Order in the contract of demo.pay.v2"},
		{"{ unavailable", "{ lost, unavailable", "type trouble, case lost: the contract of demo.pay.v2 has no field of type case for it"},
		{"{ usd", "{ gbp, usd", "type demo:pay/types@2.3.0#currency, case gbp: the contract of demo.pay.v2 has no value for it"},
		{"{ paid", "{ sent, paid", "type marks, flag sent: the contract of demo.pay.v2 has no field of type flag for it"},
		{"2.3.0", "3.0.0", "there is no contract for proto package demo.pay.v3"},
	}
	for _, test := range tests {
		i := importOf(t, strings.ReplaceAll(payer, test.old, test.new))
		_, err := contract.BindImport(i, contracts)
		if want := "import " + i.ID + ": " + test.want; err == nil || err.Error() != want {
			t.Errorf("%s for %s: error is\n%v, want\n%s", test.new, test.old, err, want)
		}
	}
}

// TestServes binds importers to a contract that several functions share, and asks who of them will do.
func TestServes(t *testing.T) {
	tests := []struct{ old, new, want string }{
		{"dry: bool", "dry: bool", ""},
		{"fraud", "fraud, odd", ""},
		{"unavailable, fraud", "unavailable", ""},
		{"charge:", "debit:", "function charge: demo:pay/api@2.3.1 does not have it"},
		{"eur, usd, chf", "eur", "type currency, case usd: demo:pay/api@2.3.1 does not have it"},
		{"paid, gift", "gift", "type marks, flag paid: demo:pay/api@2.3.1 does not have it"},
		{"dry: bool", "dry: bool, extra: tuple<u8>", "function charge, parameter extra: demo:pay/api@2.3.1 requires it, and the import does not have it"},
		{"dry: bool", "dry: bool, extra: u8", ""},
		{", dry: bool", "", "function charge, parameter dry: demo:pay/api@2.3.1 does not have it"},
		{"more: option<u8>", "more: char", "type order, field more: demo:pay/api@2.3.1 requires it, and the import does not have it"},
	}
	for _, test := range tests {
		stored, _ := payments(t)
		built, err := contract.Build(contract.Input{Function: "other", World: wittest.MustParse(strings.Replace(pay, test.old, test.new, 1)),
			Stored: stored, AllowBreaking: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := contract.BindImport(importOf(t, payer), map[string]*weftv1.Contract{"demo.pay.v2": built.Contracts[0]})
		if err != nil {
			t.Fatalf("%s for %s: %v", test.new, test.old, err)
		}
		err = contract.Serves(built.Services[0], s)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s for %s: %v", test.new, test.old, err)
		case test.want != "" && (err == nil || err.Error() != "import demo:pay/api@2.3.0: "+test.want):
			t.Errorf("%s for %s: error is\n%v, want\n%s", test.new, test.old, err, test.want)
		}
	}
}
