/** What the echo service says to whoever reaches it: one line of JSON. */
export interface Greeting {
  /** The host name of the container that answers. */
  readonly service: string;
  readonly transport: 'tcp' | 'udp';
  /** Where the service saw the client come from. */
  readonly source: string;
  readonly sourcePort: number;
  /** The service's own port. */
  readonly port: number;
}
