// A real server for the stories: started on a free port with a fresh data directory, asked through its API, ended by its pid.
//
// CRONISTA_PROGRAM (or CRONISTA_BINARY) names the program; else it is build/cronista.
import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const program = resolve(process.env.CRONISTA_PROGRAM ?? process.env.CRONISTA_BINARY ?? join(root, "build", "cronista"));
export const administrator = { email: "admin@example.org", password: "a test's own password" };
export const otherPassword = "another test password";

// Asks until `ask` gives something true, and gives that. What it throws meanwhile is told when the time is over.
export async function until(ask, what, milliseconds = 20000) {
  const end = Date.now() + milliseconds;
  let problem = null;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      problem = null;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms: ${what}${problem ? ` (${problem.message})` : ""}`);
    await pause(25);
  }
}

export async function freePort() {
  const probe = createServer();
  await new Promise((done) => probe.listen(0, "127.0.0.1", done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

export class Server {
  // options: {"port", "arguments", "environment"} of the server, each where it is not as usual.
  static async start(options = {}) {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "cronista-browser-"));
    server.data = join(server.folder, "data");
    server.logPath = join(server.folder, "log");
    server.port = options.port ?? (await freePort());
    server.url = `http://127.0.0.1:${server.port}`;
    const log = openSync(server.logPath, "a");
    server.process = spawn(program,
      // Stories sign in often.
      ["serve", "--data", server.data, "--listen", `127.0.0.1:${server.port}`, "--attempts", "1000", "--account-attempts", "1000", ...(options.arguments ?? [])],
      { stdio: ["ignore", log, log], env: { ...process.env, CRONISTA_ADMIN_EMAIL: administrator.email, CRONISTA_ADMIN_PASSWORD: administrator.password, ...options.environment } });
    closeSync(log);
    server.ended = new Promise((done) => server.process.on("exit", (code, signal) => done(code ?? signal)));
    process.once("exit", () => server.process.kill("SIGKILL"));
    try {
      await until(async () => {
        if (server.process.exitCode !== null) return "ended";
        return (await fetch(`${server.url}/readyz`)).ok;
      }, "the server answers", 30000);
      if (server.process.exitCode !== null) throw new Error(`the server ended with ${server.process.exitCode}`);
      server.key = server.newKey(administrator.email);
    } catch (error) {
      server.process.kill("SIGKILL");
      throw new Error(`${error.message}\n${server.log()}`);
    }
    return server;
  }

  // Ends it, and complains when it did not end well or a sanitizer had something to say.
  async stop() {
    this.process.kill("SIGTERM");
    const code = await this.ended;
    const log = this.log();
    rmSync(this.folder, { recursive: true, force: true });
    if (code !== 0) throw new Error(`the server ended with ${code}\n${log}`);
    if (/ERROR: AddressSanitizer|runtime error:|WARNING: ThreadSanitizer|LeakSanitizer/.test(log)) throw new Error(log);
  }

  log() {
    return readFileSync(this.logPath, "utf8").split("\n").slice(-60).join("\n");
  }

  newKey(email) {
    return execFileSync(program, ["token", "add", email, "--data", this.data], { encoding: "utf8" }).trim().split("\n").at(-1);
  }

  // What the API answers; anything but success throws.
  async api(method, path, body, headers = {}) {
    const response = await fetch(`${this.url}/api${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.key}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text && JSON.parse(text);
  }

  async make(module, values) {
    return (await this.api("POST", `/${module}`, values)).id;
  }

  // A user who can sign in.
  async user(name, values = {}) {
    const email = `${name.toLowerCase().normalize("NFD").replace(/[^a-z]+/g, ".")}@example.org`;
    const id = await this.make("users", { name, email, profile: "member", active: true, password: otherPassword, zone: "Europe/Madrid", ...values });
    return { id, name, email, password: otherPassword };
  }

  // As many records as one likes, several at a time; their ids in order.
  async makeMany(module, count, values) {
    const ids = [];
    for (let from = 0; from < count; from += 20)
      ids.push(...(await Promise.all(Array.from({ length: Math.min(20, count - from) }, (_, i) => this.make(module, values(from + i))))));
    return ids;
  }
}
