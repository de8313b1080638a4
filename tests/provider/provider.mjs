// A real OpenID provider on loopback, for the tests: told by its environment, ended by its process id. Whoever is asked to sign in
// there types a name of the accounts' file and any password.
//
//   PORT        where it listens
//   SITE        where Cronista is: "http://127.0.0.1:8080"
//   ACCOUNTS    a file, {"NAME": {"email": ..., "email_verified": ..., "name": ...}}, read whenever somebody is asked for
//   ALGORITHM   of ID tokens: RS256 (otherwise) or ES256
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const { PORT, SITE, ACCOUNTS, ALGORITHM = "RS256" } = process.env;

const key = (kid, type, options) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), kid, use: "sig" });

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: [{
    client_id: "cronista",
    client_secret: "a secret, with: signs & more",
    redirect_uris: [`${SITE}/sign-in/provider/callback`],
    post_logout_redirect_uris: [`${SITE}/sign-in`],
    id_token_signed_response_alg: ALGORITHM,
  }],
  jwks: { keys: [key("rsa", "rsa", { modulusLength: 2048 }), key("ec", "ec", { namedCurve: "P-256" })] },
  cookies: { keys: ["tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  pkce: { required: () => true, methods: ["S256"] },
  findAccount(context, name) {
    const account = JSON.parse(readFileSync(ACCOUNTS, "utf8"))[name];
    return account && { accountId: name, claims: () => ({ sub: name, ...account }) };
  },
});

provider.listen(Number(PORT), "127.0.0.1", () => console.log("ready"));
