// The description of the API is OpenAPI 3.1, and good practice as a linter sees it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { Server, program } from "../browser/server.mjs";

const description = () => JSON.parse(execFileSync(program, ["openapi"], { maxBuffer: 1 << 26 }));

async function problems(document) {
  const config = await createConfig({ extends: ["recommended"] });
  const found = await lintFromString({ source: JSON.stringify(document), absoluteRef: "openapi.json", config });
  return found.map((p) => `${p.severity} ${p.ruleId}: ${p.message} at ${p.location[0]?.pointer}`);
}

test("nothing is wrong with it", async () => {
  const document = description();
  assert.match(document.openapi, /^3\.1\./);
  assert.ok(Object.keys(document.paths).length > 50);
  assert.deepEqual(await problems(document), []);
});

test("nor with that of an installation with fields of its own", async () => {
  const server = await Server.start();
  try {
    for (const [key, more] of Object.entries({
      text: { type: "text" }, amount: { type: "money" }, when: { type: "datetime" }, yes: { type: "yes_no" },
      friends: { type: "links", target: "contacts" },
    }))
      await server.make("fields", { of_module: "contacts", key: `x_${key}`, label: `Campo ${key} "ñ"`, ...more });
    const document = await server.api("GET", "/openapi.json");
    assert.ok(JSON.stringify(document).includes("x_friends"));
    assert.deepEqual(await problems(document), []);
  } finally {
    await server.stop();
  }
});

test("the linter finds what is wrong", async () => {
  const document = description();
  const [path] = Object.keys(document.paths).filter((p) => p.includes("{id}"));
  document.paths[path].get.parameters = document.paths[path].get.parameters?.filter((p) => p.in !== "path");
  document.paths["/api/nothing"] = { get: { responses: { 200: { description: "x", content: { "a/b": { schema: { type: "nonsense" } } } } } } };
  const found = await problems(document);
  assert.ok(found.some((p) => p.includes("nonsense") || p.includes("type")), found.join("\n"));
  assert.ok(found.length >= 2, found.join("\n"));
});
