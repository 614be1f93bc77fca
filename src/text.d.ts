// Markdown and scenario files are embedded as text: import text from "./x.md" with { type: "text" }.
declare module "*.md" {
  const text: string;
  export default text;
}
declare module "*.jsonl" {
  const text: string;
  export default text;
}
