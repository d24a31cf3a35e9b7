package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

func (a *app) secretCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "secret",
		Short: "Set, list and delete secrets",
		Long: `Secrets are values that functions read with wasi:config/store and that nobody else gets to see. The node that is given one
encrypts it, with the first of the keys that weft server --secrets-key names; the cluster keeps it like that, on all nodes
and in backups. Functions see, in this order: a secret of their own, one of their namespace, a variable of --env.`,
		Example: `  weft secret set db/password < password.txt
  weft secret set db/password @password.txt --function orders
  weft secret list`,
		SuggestionsMinimumDistance: 2,

		Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.secretSetCommand(), a.secretListCommand(), a.secretDeleteCommand(), a.secretResealCommand())
	return c
}

func (a *app) secretSetCommand() *cobra.Command {
	var function string
	c := &cobra.Command{
		Use:   "set KEY [VALUE|@FILE|-]",
		Short: "Set a secret",
		Long: `Set a secret, in place of the one of its key. Calls that begin after a node has heard of it see the new value; nothing has to be
deployed again.

The value is UTF-8 text of up to 64 KiB. Without VALUE, or with -, it comes from stdin, less one newline at its end, which
echo and here-documents put there; on a terminal it is asked for and not shown. @FILE is taken as it is, byte for byte. A
VALUE on the command line stays in the shell's history, and other users may see it while the command runs.`,
		Example: `  weft secret set db/password < password.txt
  weft secret set tls/key @key.pem --function gateway
  pass show stripe | weft secret set stripe/key -n shop`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 || len(args) > 2 {
				return usagef(c, "%s takes KEY [VALUE|@FILE|-]; %d arguments given", c.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			value, err := a.secretValue(args)
			if err != nil {
				return err
			}
			return a.with(func(client *weft.Client) error {
				version, err := client.SetSecret(c.Context(), function, args[0], value)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(&weftv1.SetSecretResponse{Version: version})
				}
				_, err = fmt.Fprintf(a.out, "set %s (version %d)\n", secretText(function, args[0]), version)
				return err
			})
		},
		ValidArgsFunction: a.complete(0, a.secretKeys),
	}
	a.functionFlag(c, &function, "only this function may read it, and sees it rather than the namespace's")
	return a.remote(c)
}

func (a *app) secretListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List secrets, but not what they are",
		Long: `List the secrets of the namespace and of its functions: versions, sizes, when they were set, and the key that each is encrypted
with. What a secret is, nobody is told.`,
		Example: "  weft secret list\n  weft secret list -n shop --json",
		Args:    exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(client *weft.Client) error {
				r, err := client.Secrets(c.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				a.sayStale(r.GetFreshness())
				return a.printSecrets(r)
			})
		},
	}
	return a.remote(c)
}

func (a *app) printSecrets(r *weftv1.ListSecretsResponse) error {
	unreadable := 0
	row, flush := table(a.out, "KEY", "FUNCTION", "VERSION", "SIZE", "SET", "ENCRYPTED WITH")
	for _, s := range r.GetSecrets() {
		function, key := s.GetFunction(), s.GetKeyId()
		if function == "" {
			function = "(all)"
		}
		switch {
		case !s.GetReadable():
			unreadable++
			key += " (not on this node)"
		case key != r.GetKeyId():
			key += " (older)"
		}
		row(s.GetKey(), function, s.GetVersion(), bytesText(uint64(s.GetSizeBytes())), ago(s.GetSet().AsTime())+" ago", key)
	}
	if err := flush(); err != nil {
		return err
	}
	switch {
	case r.GetKeyId() == "":
		a.say("warning: the node at %s has no key for secrets: functions can't read them there; start it with weft server --secrets-key FILE\n", a.addr)
	case unreadable > 0:
		a.say("warning: functions can't read %s on the node at %s, which lacks the key\n", plural(unreadable, "secret"), a.addr)
	}
	return nil
}

func (a *app) secretDeleteCommand() *cobra.Command {
	var function string
	c := &cobra.Command{
		Use:     "delete KEY",
		Short:   "Delete a secret",
		Long:    "Delete a secret. A function whose own secret is deleted sees the namespace's from then on, if there is one.",
		Example: "  weft secret delete db/password\n  weft secret delete db/password --function orders",
		Args:    exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(func(client *weft.Client) error {
				if err := client.DeleteSecret(c.Context(), function, args[0]); err != nil {
					return err
				}
				if a.json {
					return a.printJSON(&weftv1.DeleteSecretResponse{})
				}
				_, err := fmt.Fprintf(a.out, "deleted %s\n", secretText(function, args[0]))
				return err
			})
		},
		ValidArgsFunction: a.complete(0, a.secretKeys),
	}
	a.functionFlag(c, &function, "delete the secret of this function")
	return a.remote(c)
}

func (a *app) secretResealCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "reseal",
		Short: "Encrypt secrets anew with the node's first key",
		Long: `Encrypt the secrets of the namespace anew with the first key of the node at --addr, except those that are encrypted with it. To rotate
keys: put the new key below the old one on every node and restart them one by one; then put it first and restart them again;
reseal every namespace; then take the old key away. Each secret that was resealed has a version more afterwards, and the value
that it had.`,
		Example: "  weft secret reseal\n  weft secret reseal -n shop",
		Args:    exactly(0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(func(client *weft.Client) error {
				r, err := client.ResealSecrets(c.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				for _, s := range r.GetUnreadable() {
					a.say("warning: %s stays encrypted with key %s, which the node at %s does not have\n", secretText(s.GetFunction(), s.GetKey()), s.GetKeyId(), a.addr)
				}
				_, err = fmt.Fprintf(a.out, "resealed %s with key %s\n", plural(len(r.GetResealed()), "secret"), r.GetKeyId())
				return err
			})
		},
	}
	return a.remote(c)
}

func (a *app) functionFlag(c *cobra.Command, function *string, usage string) {
	c.Flags().StringVar(function, "function", "", "`NAME` of a function: "+usage)
	must(c.RegisterFlagCompletionFunc("function", a.complete(anywhere, functionNames)))
}

// secretText names a secret.
func secretText(function, key string) string {
	if function == "" {
		return key
	}
	return key + " of " + function
}

// secretKeys lists the keys of the namespace's secrets, each once.
func (a *app) secretKeys(ctx context.Context, client *weft.Client) ([]string, error) {
	r, err := client.Secrets(ctx, weft.Stale())
	var keys []string
	seen := map[string]bool{}
	for _, s := range r.GetSecrets() {
		if !seen[s.GetKey()] {
			seen[s.GetKey()] = true
			keys = append(keys, s.GetKey())
		}
	}
	return keys, err
}

// describedSecret writes which secret a function sees.
func describedSecret(s *weftv1.Secret) string {
	text := fmt.Sprintf("%s (version %d, set %s ago", s.GetKey(), s.GetVersion(), ago(s.GetSet().AsTime()))
	if s.GetFunction() != "" {
		text += ", of this function"
	}
	if !s.GetReadable() {
		text += ", not readable on the node that was asked: it lacks key " + s.GetKeyId()
	}
	return text + ")"
}
