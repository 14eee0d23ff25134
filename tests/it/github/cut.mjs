// Cuts the operations that Tollgate uses out of GitHub's published OpenAPI description, for the double of GitHub in the tests.
//
//   npm pack @octokit/openapi && tar xzf octokit-openapi-*.tgz
//   node tests/it/github/cut.mjs package tests/it/github/openapi.json
//
// The description is OpenAPI 3.0; the cut is JSON Schema (`nullable` becomes a type), without prose, and with one example of
// each answer, from which the double makes its own. The description is MIT licensed, (c) Octokit contributors.

import { readFileSync, writeFileSync } from "node:fs";

const [folder, target] = process.argv.slice(2);
const version = JSON.parse(readFileSync(`${folder}/package.json`)).version;
const whole = JSON.parse(readFileSync(`${folder}/generated/api.github.com.json`));

const repo = "/repos/{owner}/{repo}";
const operations = {
  [`${repo}/issues/{issue_number}/comments`]: ["get", "post"],
  [`${repo}/issues/comments/{comment_id}`]: ["get", "patch", "delete"],
  [`${repo}/issues/{issue_number}/events`]: ["get"],
  [`${repo}/pulls`]: ["get"],
  [`${repo}/pulls/{pull_number}`]: ["get"],
  [`${repo}/commits/{commit_sha}/pulls`]: ["get"],
  [`${repo}/git/commits/{commit_sha}`]: ["get"],
  [`${repo}/collaborators/{username}/permission`]: ["get"],
  [`${repo}/check-runs`]: ["post"],
  [`${repo}/check-runs/{check_run_id}`]: ["get", "patch"],
  [`${repo}/commits/{ref}/check-runs`]: ["get"],
  "/user": ["get"],
  "/rate_limit": ["get"],
};
const prose = new Set(["description", "summary", "title", "example", "examples", "externalDocs", "deprecated", "default", "format"]);

const schemas = {};
const resolve = (ref) => ref.slice(2).split("/").reduce((at, part) => at[part], whole);

// A schema of OpenAPI 3.0 as JSON Schema; what it refers to is taken along. `named`: the keys are properties, not keywords.
function convert(value, named = false) {
  if (Array.isArray(value)) return value.map((one) => convert(one));
  if (value === null || typeof value !== "object") return value;
  if (!named && value.$ref) {
    const name = value.$ref.split("/").pop();
    if (!(name in schemas)) {
      schemas[name] = null;
      schemas[name] = convert(resolve(value.$ref));
    }
    return { $ref: `#/components/schemas/${name}` };
  }
  const out = {};
  for (const [key, inner] of Object.entries(value)) {
    if (!named && (prose.has(key) || key.startsWith("x-") || key === "nullable")) continue;
    if (!named && key === "enum") out[key] = inner;
    else out[key] = convert(inner, !named && key === "properties");
  }
  if (named || !value.nullable) return out;
  if (out.enum && !out.enum.includes(null)) out.enum = [...out.enum, null];
  if (typeof out.type === "string") out.type = [out.type, "null"];
  else if (!out.type) return { anyOf: [out, { type: "null" }] };
  return out;
}

const follow = (value) => (value?.$ref ? resolve(value.$ref) : value);
const json = (content) => content?.["application/json"];
const paths = {};
const examples = {};
for (const [path, methods] of Object.entries(operations)) {
  paths[path] = {};
  for (const method of methods) {
    const operation = whole.paths[path][method];
    const parameters = [...(whole.paths[path].parameters ?? []), ...(operation.parameters ?? [])].map(follow);
    const responses = {};
    for (const [status, response] of Object.entries(operation.responses)) {
      const content = json(follow(response).content);
      responses[status] = content ? convert(content.schema) : null;
      const first = Object.values(content?.examples ?? {}).map(follow)[0]?.value;
      if (status.startsWith("2") && first !== undefined) examples[operation.operationId] = first;
    }
    const body = json(operation.requestBody?.content);
    paths[path][method] = {
      operation: operation.operationId,
      parameters: parameters.map((p) => ({ name: p.name, in: p.in, required: p.required ?? false, schema: convert(p.schema) })),
      body: body ? convert(body.schema) : null,
      responses,
    };
  }
}
const source = `@octokit/openapi ${version}, generated/api.github.com.json, by tests/it/github/cut.mjs`;
writeFileSync(target, JSON.stringify({ source, paths, components: { schemas }, examples }) + "\n");
