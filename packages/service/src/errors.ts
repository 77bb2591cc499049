/** One row of a package's error table; the reference in docs/ is made from these. */
export interface ErrorRow {
  /** What went wrong, in a few words, for the table of errors. */
  readonly title: string;
  /** What the reader can do about it. */
  readonly remedy: string;
}

export interface ErrorContext {
  /** What it went wrong on: names, ids, addresses. Ends up in the log line; never put a secret here. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** An error with a stable code. Match on `code`, never on the text. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, remedy: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = 'CodedError';
    this.code = code;
    this.remedy = remedy;
    this.details = context.details ?? {};
  }
}

/** A package's whole error table: the one place where its codes are made. */
export class ErrorTable<Code extends string> {
  readonly rows: Readonly<Record<Code, ErrorRow>>;

  constructor(rows: Readonly<Record<Code, ErrorRow>>) {
    this.rows = rows;
  }

  /** `message` says what failed, on what and why; the remedy comes from the table. */
  error<C extends Code>(code: C, message: string, context?: ErrorContext): CodedError<C> {
    return new CodedError(code, message, this.rows[code].remedy, context);
  }

  /** Is this one of ours, and (if given) of this kind? */
  is<C extends Code = Code>(error: unknown, code?: C): error is CodedError<C> {
    if (!(error instanceof CodedError) || !Object.hasOwn(this.rows, error.code)) return false;
    return code === undefined || error.code === code;
  }
}
