package catalog

import (
	"cmp"
	"crypto/sha256"
	"slices"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// doSecret is the model's part for level 4; nil for other commands.
func (m *model) doSecret(cmd *catalogv1.Command) *catalogv1.Result {
	switch a := cmd.Action.(type) {
	case *catalogv1.Command_PutSecret:
		row := proto.CloneOf(a.PutSecret.Secret)
		k := [2]string{row.Function, row.Key}
		hash := sha256.Sum256(m.secrets[k].GetCiphertext())
		if replaces := a.PutSecret.Replaces; replaces != nil && string(replaces) != string(hash[:]) {
			return no(catalogv1.Refusal_REASON_CONFLICT)
		}
		row.Version, row.SetUnixNanos = m.secrets[k].GetVersion()+1, cmd.TimeUnixNanos
		m.secrets[k] = row
		return &catalogv1.Result{SecretVersion: row.Version}
	case *catalogv1.Command_DeleteSecret:
		k := [2]string{a.DeleteSecret.Function, a.DeleteSecret.Key}
		if m.secrets[k] == nil {
			return no(catalogv1.Refusal_REASON_NOT_FOUND)
		}
		delete(m.secrets, k)
		return &catalogv1.Result{}
	}
	return nil
}

func drawSecret(t *rapid.T, function string) *catalogv1.Command {
	if rapid.Bool().Draw(t, "for all") {
		function = ""
	}
	name := rapid.SampledFrom([]string{"k", "k/2", "l"}).Draw(t, "key")
	if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
		return unsealed(function, name)
	}
	value := rapid.SampledFrom([]string{"a", "b", "c"})
	cmd := sealed(function, name, value.Draw(t, "value"))
	if rapid.Bool().Draw(t, "replaces") {
		cmd = resealed(function, name, value.Draw(t, "old"), value.Draw(t, "value"))
	}
	cmd.TimeUnixNanos = rapid.Int64Range(0, 100).Draw(t, "now")
	return cmd
}

func compareSecrets(t *rapid.T, m *model, v *View) {
	var want []*catalogv1.Secret
	for _, secret := range m.secrets {
		want = append(want, secret)
	}
	slices.SortFunc(want, func(a, b *catalogv1.Secret) int {
		return cmp.Or(cmp.Compare(a.Function, b.Function), cmp.Compare(a.Key, b.Key))
	})
	got := slices.Collect(v.Secrets(ns))
	if !slices.EqualFunc(got, want, func(a, b *catalogv1.Secret) bool { return proto.Equal(a, b) }) {
		t.Fatalf("secrets %v, model %v", got, want)
	}
	for _, secret := range got {
		if v.Secret(ns, secret.Function, secret.Key) != secret || !slices.Contains(slices.Collect(v.SecretsOf(ns, secret.Function)), secret) {
			t.Fatalf("secret %v is not found", secret)
		}
	}
}
