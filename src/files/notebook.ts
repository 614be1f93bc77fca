// A Jupyter notebook as text: its cells with their outputs, bounded.

export type NotebookCell = { cell_id?: string; cellType: string; source: string; executionCount?: number };
export type NotebookPage = {
  text: string;
  cells: NotebookCell[];
  /** 1-based number of the first cell; cells in the notebook; the first one not shown. */
  start: number;
  total: number;
  next: number | undefined;
  cut: boolean;
};

const OUTPUT_LIMIT = 4_000;

/** Undefined when `text` is no notebook. `offset` and `limit` count cells; `budget` is characters, at least one cell. */
export function notebookPage(
  text: string,
  { offset, limit, budget }: { offset: number; limit: number; budget: number },
): NotebookPage | undefined {
  const all = cellsOf(text);
  if (!all) return undefined;
  const page: NotebookPage = { text: "", cells: [], start: offset, total: all.length, next: undefined, cut: false };
  for (const [i, raw] of all.slice(offset - 1, offset - 1 + limit).entries()) {
    const cell = readCell(raw);
    let shown = cellText(cell, raw, offset + i);
    if (page.cells.length > 0 && page.text.length + shown.length > budget) break;
    if (shown.length > budget) {
      shown = `${shown.slice(0, budget)}\n[... cell cut here: ${shown.length} characters]`;
      page.cut = true;
    }
    page.text += (page.text ? "\n\n" : "") + shown;
    page.cells.push(cell);
  }
  const next = offset + page.cells.length;
  page.next = page.cells.length > 0 && next <= all.length ? next : undefined;
  return page;
}

type Fields = Record<string, unknown>;

function cellsOf(text: string): Fields[] | undefined {
  try {
    const book: unknown = JSON.parse(text);
    if (!isFields(book)) return undefined;
    if (Array.isArray(book.cells)) return book.cells.filter(isFields);
    // Format 3 kept its cells in worksheets.
    const sheet: unknown = Array.isArray(book.worksheets) ? book.worksheets[0] : undefined;
    return isFields(sheet) && Array.isArray(sheet.cells) ? sheet.cells.filter(isFields) : undefined;
  } catch {
    // Not JSON: the caller shows the file as plain text, so that it can be repaired.
    return undefined;
  }
}

function readCell(raw: Fields): NotebookCell {
  return {
    ...(typeof raw.id === "string" ? { cell_id: raw.id } : {}),
    cellType: typeof raw.cell_type === "string" ? raw.cell_type : "unknown",
    source: joined(raw.source ?? raw.input),
    ...(typeof raw.execution_count === "number" ? { executionCount: raw.execution_count } : {}),
  };
}

function cellText(cell: NotebookCell, raw: Fields, number: number): string {
  const id = cell.cell_id ? `, id ${cell.cell_id}` : "";
  const run = cell.executionCount === undefined ? "" : `, run ${cell.executionCount}`;
  const outputs = Array.isArray(raw.outputs) ? raw.outputs.filter(isFields).map(outputText) : [];
  return [`[cell ${number}: ${cell.cellType}${id}${run}]`, cell.source, ...outputs].join("\n");
}

function outputText(output: Fields): string {
  switch (output.output_type) {
    case "stream":
      return labelled(String(output.name ?? "stdout"), joined(output.text));
    case "error":
    case "pyerr": {
      const trace = Array.isArray(output.traceback) ? output.traceback.join("\n") : "";
      return labelled("error", Bun.stripANSI(trace || `${String(output.ename)}: ${String(output.evalue)}`));
    }
    default:
      return bundleText(isFields(output.data) ? output.data : output);
  }
}

/** One value in several media types: the plainest is shown, pictures are named. */
function bundleText(data: Fields): string {
  const parts: string[] = [];
  const plain = data["text/plain"] ?? data.text ?? data["text/markdown"] ?? data["text/html"];
  if (plain !== undefined) parts.push(labelled("result", joined(plain)));
  for (const [type, value] of Object.entries(data)) {
    if (type.startsWith("image/")) parts.push(`[output: ${type}, ${joined(value).length} characters, not shown]`);
  }
  return parts.join("\n");
}

function labelled(label: string, text: string): string {
  const trimmed = text.trimEnd();
  const cut = trimmed.length > OUTPUT_LIMIT;
  const note = cut ? `\n[... output cut here: ${trimmed.length} characters]` : "";
  return `[output: ${label}]\n${cut ? trimmed.slice(0, OUTPUT_LIMIT) : trimmed}${note}`;
}

/** Texts are strings or lists of lines with their breaks. */
function joined(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.join("");
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
