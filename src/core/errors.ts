// The model failed: the one error type providers throw, retried in model/retry.ts, caught once in core/loop.ts.

export type ModelErrorKind =
  "overloaded" | "rate_limit" | "auth" | "too_long" | "invalid" | "network" | "stalled" | "server";

export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly kind: ModelErrorKind;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** What the server asked us to wait, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(kind: ModelErrorKind, message: string, more: { status?: number | null; retryAfterMs?: number } = {}) {
    super(message);
    this.kind = kind;
    this.status = more.status ?? null;
    this.retryAfterMs = more.retryAfterMs;
  }
}

/** A mistake of the person: one line on stderr, exit code 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
