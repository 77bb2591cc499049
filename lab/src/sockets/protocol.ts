/** What the socket maker in a namespace is asked, and how it answers. The sockets themselves travel beside the answer. */
export type Order = { readonly id: number } & (
  | {
      readonly make: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly from?: string;
      readonly timeoutMs: number;
    }
  | { readonly make: 'tcp-server'; readonly host: string; readonly port: number }
  | {
      readonly make: 'udp';
      readonly family: 4 | 6;
      readonly host: string;
      readonly port: number;
      readonly broadcast: boolean;
    }
);

export interface Answer {
  readonly id: number;
  /** Why there is no socket. */
  readonly error?: string;
  /** The system's name for it, such as ECONNREFUSED. */
  readonly code?: string;
}
