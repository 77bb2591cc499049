import { type Api, type CallOptions, Fields, filterQuery, jsonLines, type Reply } from '../http/index.ts';
import type { EngineEvent, EventQuery, EventStream, Events } from './events.ts';

const WHAT = "follow the engine's events";

export class DockerEvents implements Events {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async open(query: EventQuery = {}, options?: CallOptions): Promise<EventStream> {
    const reply = await this.#api.stream(
      {
        method: 'GET',
        path: '/events',
        query: {
          since: query.since === undefined ? undefined : engineTime(query.since),
          until: query.until === undefined ? undefined : engineTime(query.until),
          filters: filterQuery(query.filters),
        },
        what: WHAT,
      },
      options,
    );
    return new DockerEventStream(reply);
  }
}

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

function parseEvent(line: unknown): EngineEvent {
  const fields = new Fields(line, 'an event of the engine');
  const actor = fields.maybeFields('Actor');
  const type = fields.maybeText('Type') ?? '';
  const action = fields.maybeText('Action') ?? '';
  const id = actor?.maybeText('ID') ?? '';
  const seconds = fields.maybeNumber('time') ?? 0;
  // Too long for a number, so its last digits are rounded: good enough to tell events apart, not to compute with.
  const nanoseconds = fields.maybeNumber('timeNano') ?? seconds * 1e9;
  return {
    type,
    action,
    id,
    attributes: actor?.textMap('Attributes') ?? {},
    at: nanoseconds / 1e6,
    key: `${nanoseconds} ${type} ${action} ${id}`,
  };
}
