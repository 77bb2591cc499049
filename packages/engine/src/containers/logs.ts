export interface LogQuery {
  /** Only so many lines from the end. */
  readonly tail?: number;
  /** Seconds since the epoch. */
  readonly since?: number;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** The engine's time before each line. */
  readonly timestamps?: boolean;
  /** Reading stops there. Default: 5 MiB. */
  readonly maxBytes?: number;
}

export interface ContainerLogs {
  /** Both streams in the order in which they were written. */
  readonly text: string;
  /** Whether there was more than `maxBytes`. */
  readonly truncated: boolean;
}
