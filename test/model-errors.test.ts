// Every way a request can fail, as the person is told of it; and that no key is ever among the words.
import { expect, test } from "bun:test";
import { createServer } from "node:net";
import type { ModelErrorKind } from "../src/core/errors.ts";
import { raw, reply, say, startFakeModel, status, type Reply } from "./fake-model.ts";
import { failure, KEY, providerAt } from "./model-support.ts";

const html = "<html><head><style>b{}</style><title>502 Bad Gateway</title></head>\n<body><h1>x</h1></body></html>";
const api = (type: string, message: string) => ({ type: "error", error: { type, message } });

const ANSWERS: [what: string, answer: Reply, kind: ModelErrorKind, message: string | RegExp][] = [
  [
    "a wrong key",
    status(401, { message: "invalid x-api-key" }),
    "auth",
    /^401 authentication_error: invalid x-api-key\. Check ANTHROPIC_API_KEY and that it belongs to 127\.0\.0\.1:\d+\.$/,
  ],
  ["no permission", status(403, { message: "not yours" }), "auth", /^403 permission_error: not yours\. Check/],
  ["a bad request", status(400, { message: "messages: bad" }), "invalid", "400 invalid_request_error: messages: bad"],
  [
    "too long",
    status(400, { message: "prompt is too long: 210000 tokens > 200000 maximum" }),
    "too_long",
    "400 invalid_request_error: prompt is too long: 210000 tokens > 200000 maximum",
  ],
  ["too large", status(413, { message: "too big" }), "too_long", "413 request_too_large: too big"],
  [
    "no such model",
    status(404, { message: "model: claude-x" }),
    "invalid",
    '404 not_found_error: model: claude-x. The model was "claude-haiku-4-5"; choose another with --model.',
  ],
  [
    "no such address",
    status(404, { body: "404 page not found" }),
    "invalid",
    /^404 404 page not found\. Is 127\.0\.0\.1:\d+ a Messages API\? Check the base URL\.$/,
  ],
  ["a rate limit", status(429, { message: "slow down" }), "rate_limit", "429 rate_limit_error: slow down"],
  [
    "a spent budget",
    status(429, { message: "limit reached", headers: { "x-should-retry": "false" } }),
    "invalid",
    "429 rate_limit_error: limit reached",
  ],
  ["a timeout there", status(408), "server", "408 api_error: status 408"],
  ["a conflict", status(409), "server", "409 api_error: status 409"],
  ["overload", status(529, { message: "Overloaded" }), "overloaded", "529 overloaded_error: Overloaded"],
  ["unavailable", status(503), "overloaded", "503 api_error: status 503"],
  ["broken", status(500), "server", "500 api_error: status 500"],
  ["a proxy's page", status(502, { body: html }), "server", "502 502 Bad Gateway"],
  ["an empty body", status(500, { body: "" }), "server", "500 (no explanation)"],
  ["another error form", status(400, { body: { message: "nope" } }), "invalid", "400 nope"],
  ["not implemented", status(501), "invalid", "501 api_error: status 501"],
  [
    "a redirect",
    { kind: "status", code: 307, headers: { location: "https://elsewhere.example/v1" }, body: "" },
    "invalid",
    /^307 \(no explanation\)\. 127\.0\.0\.1:\d+ redirects to https:\/\/elsewhere\.example\/v1; .* set the base URL/,
  ],
  [
    "a page instead of a stream",
    raw("<html>login</html>", { "content-type": "text/html" }),
    "invalid",
    /answered with a web page, not as a Messages API\. Check the base URL\.$/,
  ],
  [
    "JSON that is no message",
    raw('{"ok":1}', { "content-type": "application/json" }),
    "invalid",
    /Check the base URL\.$/,
  ],
  [
    "an error in one piece",
    raw(JSON.stringify(api("overloaded_error", "busy")), { "content-type": "application/json" }),
    "overloaded",
    "overloaded_error: busy",
  ],
  [
    "overload in the middle",
    reply([say("a")], { extra: { 0: [["error", api("overloaded_error", "Overloaded")]] } }),
    "overloaded",
    "overloaded_error: Overloaded",
  ],
  ["an unknown error in the middle", raw("event: error\ndata: oh no\n\n"), "server", "api_error: oh no"],
];
test.each(ANSWERS)("%s", async (_, answer, kind, message) => {
  await using fake = await startFakeModel([answer]);
  const error = await failure(providerAt(fake.url));
  expect({ kind: error.kind, status: error.status, message: error.message }).toEqual({
    kind,
    status: answer.kind === "status" ? answer.code : null,
    message: typeof message === "string" ? message : expect.stringMatching(message),
  });
});

test("a server that repeats the key, hidden or not, does not make us print it; its words are bounded and harmless", async () => {
  const hidden = `${KEY.slice(0, 5)}\u001b[31m${KEY.slice(5)}`;
  const message = `\u001b]0;owned\u0007bad key ${KEY} and ${hidden} and tok-secret\u0000\n\u202e${"x".repeat(5_000)}`;
  const entries = [401, 400, 500].map((code) => status(code, { message }));
  await using fake = await startFakeModel([
    ...entries,
    status(502, { body: `<p>${KEY}</p>` }),
    status(307, { headers: { location: `https://x.example/?k=${KEY}` } }),
    raw(`event: error\ndata: ${JSON.stringify(api("api_error", message))}\n\n`),
  ]);
  const provider = providerAt(fake.url, { headers: { "x-extra": "tok-secret" } });
  for (let n = 0; n < 6; n++) {
    const error = await failure(provider);
    expect(Bun.inspect(error)).not.toContain(KEY);
    expect(error.message).not.toContain("tok-secret");
    expect(error.message.length).toBeLessThan(900);
    expect(error.message).not.toMatch(/[\p{Cc}\u202e]|\[31m|owned/u);
  }
});

const SOON = Date.parse("2026-11-23T12:00:00Z");
test.each([
  [{ "retry-after": "7" }, 7_000],
  [{ "retry-after-ms": "1500", "retry-after": "7" }, 1_500],
  [{ "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT" }, 30_000],
  [{ "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, 0],
  [{ "retry-after": "soon" }, undefined],
  [{}, undefined],
])("retry-after: %j", async (headers: Record<string, string>, expected) => {
  await using fake = await startFakeModel([status(429, { headers })]);
  const error = await failure(providerAt(fake.url, { now: () => SOON }));
  expect(error.retryAfterMs).toBe(expected);
});

test("nobody there: the host and port are named", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  await new Promise((resolve) => server.close(resolve));
  const error = await failure(providerAt(`http://user:${KEY}@127.0.0.1:${port}`));
  expect([error.kind, error.status]).toEqual(["network", null]);
  expect(error.message).toStartWith(`Connection refused by 127.0.0.1:${port}: is it running? (`);
  expect(error.message).not.toContain(KEY);
});

test("no trusted certificate: said so, with the host", async () => {
  // A server that speaks no TLS at all; the handshake fails.
  await using fake = await startFakeModel([say("x")]);
  const error = await failure(providerAt(fake.url.replace("http:", "https:")));
  expect(error.kind).toBe("network");
  expect(error.message).toContain(`127.0.0.1:${fake.port}`);
});

test("an error answer without an end is read only so far", async () => {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch() {
      const page = "x".repeat(64 * 1024);
      const body = new ReadableStream({ pull: (out) => out.enqueue(new TextEncoder().encode(page)) });
      return new Response(body, { status: 500 });
    },
  });
  const error = await failure(providerAt(`http://127.0.0.1:${server.port}`));
  expect([error.kind, error.status, error.message.length < 700]).toEqual(["server", 500, true]);
  await server.stop(true);
});
