/** The server's refusal of a command: what it says in `error`. */
export class Refusal extends Error {
  /** @param {{code: string, detail: string, field?: string, retry_after?: number}} error */
  constructor(error) {
    super(error.detail);
    this.name = "Refusal";
    this.code = error.code;
    this.field = error.field ?? null;
    /** Seconds after which a retry can help, or null where none can. */
    this.retryAfter = error.retry_after ?? null;
  }
}

/** The connection ended before the reply: whether the command was carried out is unknown. */
export class Disconnected extends Error {
  constructor() {
    super("There is no connection.");
    this.name = "Disconnected";
  }
}
