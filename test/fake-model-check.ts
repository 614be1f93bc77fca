// What the Messages API, and our own promise about the prompt cache, demand of every request; and a simple token count.

export type WireBlock = { type: string; [field: string]: unknown };
export type WireMessage = { role: string; content: string | WireBlock[]; [field: string]: unknown };
export type MessagesBody = {
  model: string;
  max_tokens: number;
  messages: WireMessage[];
  system?: string | WireBlock[];
  tools?: { name: string; [field: string]: unknown }[];
  thinking?: { type: string; budget_tokens?: number };
  stream?: boolean;
  [field: string]: unknown;
};

type Prefix = { tools: string; messages: string[] };

export class RequestChecker {
  #seen = new Map<string, Prefix>();

  /** Every problem of this request, in words; empty when it is right. */
  check(body: MessagesBody): string[] {
    const problems = [...shape(body), ...pairing(body.messages), ...marks(body)];
    return problems.length > 0 ? problems : this.#extension(body);
  }

  /** The next request of every conversation is taken as it comes. */
  forget(): void {
    this.#seen.clear();
  }

  // Same model, system and first message: the same conversation. Its bytes may only grow.
  #extension(body: MessagesBody): string[] {
    const messages = body.messages.map(bare);
    const key = JSON.stringify([body.model, bare(body.system), messages[0]]);
    const problems = changes(this.#seen.get(key), { tools: bare(body.tools ?? []), messages });
    if (problems.length === 0) this.#seen.set(key, { tools: bare(body.tools ?? []), messages });
    return problems;
  }
}

function changes(before: Prefix | undefined, after: Prefix): string[] {
  if (!before) return [];
  const problems = before.tools === after.tools ? [] : ["prefix: the tool list differs from the previous request's"];
  const old = before.messages;
  if (after.messages.length < old.length) {
    return [...problems, `prefix: ${after.messages.length} messages, the previous request had ${old.length}`];
  }
  for (const [at, text] of old.entries()) {
    const now = after.messages[at] ?? "";
    const grew = at === old.length - 1 && now.startsWith(text.slice(0, -"]}".length));
    if (now === text || grew) continue;
    const from = difference(text, now);
    const was = text.slice(Math.max(0, from - 40), from + 80);
    const is = now.slice(Math.max(0, from - 40), from + 80);
    return [...problems, `prefix: messages.${at} differs at byte ${from}: was …${was}… is …${is}…`];
  }
  return problems;
}

/** A value's JSON without cache marks, which are the one thing that may move. A string content counts as one block. */
function bare(value: unknown): string {
  return JSON.stringify(value, (key, field) => {
    if (key === "cache_control") return undefined;
    if (key === "content" && typeof field === "string") return [{ type: "text", text: field }];
    return field;
  });
}

function difference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

function blocks(content: string | WireBlock[]): WireBlock[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}

function shape(body: MessagesBody): string[] {
  const problems: string[] = [];
  const { messages, tools = [], thinking } = body;
  if (typeof body.model !== "string" || body.model === "") problems.push("model: missing");
  if (!Number.isInteger(body.max_tokens) || body.max_tokens < 1) problems.push(`max_tokens: ${body.max_tokens}`);
  if (thinking?.type === "enabled") {
    const budget = thinking.budget_tokens ?? 0;
    if (budget < 1024 || budget >= body.max_tokens) problems.push(`thinking.budget_tokens: ${budget}`);
  }
  const names = tools.map((tool) => tool.name);
  if (new Set(names).size !== names.length) problems.push(`tools: names are not unique: ${names.join(", ")}`);
  for (const name of names) if (!/^[\w-]{1,128}$/.test(name)) problems.push(`tools: bad name ${JSON.stringify(name)}`);
  if (!Array.isArray(messages) || messages.length === 0) return [...problems, "messages: empty"];
  if (messages[0]?.role !== "user") problems.push("messages.0: the first message is not the user's");
  if (messages.at(-1)?.role !== "user") problems.push("messages: the last message is not the user's");
  for (const [at, message] of messages.entries()) problems.push(...messageShape(message, at, messages[at - 1]));
  return problems;
}

function messageShape(message: WireMessage, at: number, previous: WireMessage | undefined): string[] {
  const problems: string[] = [];
  const where = `messages.${at}`;
  if (previous?.role === message.role) problems.push(`${where}: two ${message.role} messages in a row`);
  const extra = Object.keys(message).filter((key) => key !== "role" && key !== "content");
  if (extra.length > 0) problems.push(`${where}: extra fields ${extra.join(", ")}`);
  const content = blocks(message.content);
  if (content.length === 0) problems.push(`${where}: empty content`);
  for (const [index, block] of content.entries()) {
    const spot = `${where}.content.${index}`;
    const blank = block.type === "text" && (typeof block.text !== "string" || block.text.trim() === "");
    if (blank) problems.push(`${spot}: text must hold something besides whitespace`);
    if (block.type === "opaque") problems.push(`${spot}: the block "opaque" is our own, not the API's`);
    if (block.type === "thinking" && !block.signature) problems.push(`${spot}: thinking without a signature`);
    const isObject = typeof block.input === "object" && block.input !== null && !Array.isArray(block.input);
    if (block.type === "tool_use" && !isObject) problems.push(`${spot}: input is not an object`);
    if (block.type === "tool_use" && !/^[\w-]+$/.test(String(block.id))) problems.push(`${spot}: bad id ${block.id}`);
  }
  return problems;
}

function pairing(messages: WireMessage[]): string[] {
  const problems: string[] = [];
  const used = new Set<string>();
  let open: string[] = [];
  for (const [at, message] of messages.entries()) {
    const content = blocks(message.content);
    const results = content.filter((block) => block.type === "tool_result").map((block) => String(block.tool_use_id));
    for (const id of open) {
      const count = results.filter((result) => result === id).length;
      if (count !== 1) problems.push(`messages.${at}: tool_use ${id} is answered ${count} times`);
    }
    for (const id of results) if (!open.includes(id)) problems.push(`messages.${at}: tool_result ${id} has no call`);
    if (content.slice(0, results.length).some((block) => block.type !== "tool_result")) {
      problems.push(`messages.${at}: tool_result blocks must come first`);
    }
    open = content.filter((block) => block.type === "tool_use").map((block) => String(block.id));
    for (const id of open) {
      if (used.has(id)) problems.push(`messages.${at}: tool_use id ${id} is used twice`);
      used.add(id);
    }
  }
  for (const id of open) problems.push(`messages: tool_use ${id} is not answered`);
  return problems;
}

function marks(body: MessagesBody): string[] {
  const marked = allBlocks(body).filter((block) => block.cache_control !== undefined);
  const problems = marked.length > 4 ? [`cache_control: ${marked.length} marks, at most 4`] : [];
  for (const block of marked) {
    if (block.type === "thinking" || block.type === "redacted_thinking") {
      problems.push(`cache_control: not allowed on a ${block.type} block`);
    }
  }
  return problems;
}

function allBlocks(body: MessagesBody): WireBlock[] {
  const tools = (body.tools ?? []).map((tool): WireBlock => ({ type: "tool", ...tool }));
  const system = body.system === undefined ? [] : blocks(body.system);
  return [...tools, ...system, ...body.messages.flatMap((message) => blocks(message.content))];
}

/** Counts tokens as bytes / 4 and plays the prompt cache: a prefix that ended in a mark before is read, not written. */
export class CacheMeter {
  #stored = new Set<string>();

  count(body: MessagesBody): {
    input_tokens: number;
    cache_creation_input_tokens: number;
    cache_read_input_tokens: number;
  } {
    let chain = body.model;
    let total = 0;
    let lastMark = 0;
    let read = 0;
    for (const block of allBlocks(body)) {
      const text = bare(block);
      total += text.length;
      chain = String(Bun.hash(chain + text));
      if (this.#stored.has(chain)) read = total;
      if (block.cache_control === undefined) continue;
      lastMark = total;
      this.#stored.add(chain);
    }
    // Only what lies before this request's own last mark can be read.
    read = Math.min(read, lastMark);
    const tokens = (bytes: number) => Math.ceil(bytes / 4);
    return {
      input_tokens: tokens(total - lastMark),
      cache_creation_input_tokens: tokens(lastMark - read),
      cache_read_input_tokens: tokens(read),
    };
  }
}
