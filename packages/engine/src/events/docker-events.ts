import {
  type Api,
  type ApiRequest,
  type CallOptions,
  Fields,
  filterQuery,
  type JsonLine,
  jsonLines,
  type Reply,
} from '../http/index.ts';
import type { EngineEvent, EventQuery, EventStream, Events, PastEventQuery } from './events.ts';

const WHAT = "follow the engine's events";

export class DockerEvents implements Events {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async open(query: EventQuery = {}, options?: CallOptions): Promise<EventStream> {
    return new DockerEventStream(await this.#api.stream(eventRequest(query), options));
  }

  async past(query: PastEventQuery, options?: CallOptions): Promise<EngineEvent[]> {
    const lines = await this.#api.jsonLines(eventRequest(query), options);
    return lines.map(parseEvent);
  }
}

const eventRequest = ({ since, until, filters }: EventQuery & { readonly until?: number }): ApiRequest => ({
  method: 'GET',
  path: '/events',
  query: {
    since: since === undefined ? undefined : engineTime(since),
    until: until === undefined ? undefined : engineTime(until),
    filters: filterQuery(filters),
  },
  what: WHAT,
});

class DockerEventStream implements EventStream {
  readonly #reply: Reply;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EngineEvent, void, void> {
    for await (const line of jsonLines(this.#reply, WHAT)) yield parseEvent(line);
  }

  [Symbol.dispose](): void {
    this.#reply[Symbol.dispose]();
  }
}

/** Seconds with nine decimals. */
const engineTime = (ms: number): string => {
  const whole = Math.floor(ms);
  return `${Math.floor(whole / 1000)}.${String(whole % 1000).padStart(3, '0')}000000`;
};

function parseEvent({ value, text }: JsonLine): EngineEvent {
  const fields = new Fields(value, 'an event of the engine');
  const actor = fields.maybeFields('Actor');
  const type = fields.maybeText('Type') ?? '';
  const action = fields.maybeText('Action') ?? '';
  const id = actor?.maybeText('ID') ?? '';
  const nanoseconds = fields.maybeNumber('timeNano') ?? fields.number('time') * 1e9;
  // Too long for a number, which would make one of two events in the same quarter of a microsecond.
  const digits = /"timeNano":(\d+)/.exec(text)?.[1] ?? nanoseconds;
  return {
    type,
    action,
    id,
    attributes: actor?.textMap('Attributes') ?? {},
    at: nanoseconds / 1e6,
    key: `${digits} ${type} ${action} ${id}`,
  };
}
