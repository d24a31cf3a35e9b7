package main

import (
	"fmt"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) tokenCommand() *cobra.Command {
	var life duration
	c := &cobra.Command{
		Use:   "token",
		Short: "Make a join token",
		Long: `Make a token that lets nodes join the cluster, any number of them while it is good. It is the only thing on stdout, and it is
shown once: the cluster keeps a hash of it. Whoever has it can become a scheduler of the cluster, so treat it as a
password.`,
		SuggestionsMinimumDistance: 2,

		Example: `  weft token
  weft token --life 10m
  weft server --data-dir n2 --listen :8070 --http :8071 --cluster :8072 --join 127.0.0.1:7072 --token "$(weft token)"
  weft token revoke --all`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args)
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(client *weft.Client) error {
				r, err := client.CreateToken(c.Context(), life.value)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				_, err = fmt.Fprintln(a.out, r.GetToken())
				return err
			})
		},
	}
	c.Flags().Var(&life, "life", "how long the token is good, 720h at most (default 1h)")
	c.AddCommand(a.revokeCommand())
	return a.remote(c)
}

func (a *app) revokeCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "revoke ID|TOKEN",
		Short: "Make a join token worthless",
		Long:  "Make a join token worthless at once, or all of them. Nodes that have joined with it stay.",
		Example: `  weft token revoke kq3vgxw2bd
  weft token revoke --all`,
		Args: func(c *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return usagef(c, "--all takes no token")
			}
			if all {
				return nil
			}
			return exactly(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(client *weft.Client) error {
				what, revoke := "all tokens", func() error { return client.RevokeAllTokens(c.Context()) }
				if !all {
					what, revoke = "the token", func() error { return client.RevokeToken(c.Context(), args[0]) }
				}
				if err := revoke(); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(&weftv1.RevokeTokenResponse{})
				}
				_, err := fmt.Fprintf(a.out, "revoked %s\n", what)
				return err
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "revoke all tokens")
	return a.remote(c)
}
