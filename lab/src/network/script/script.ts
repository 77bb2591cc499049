/** A script says what a server on the LAN answers: by the book, or as no server should. */
export interface Reply<Message> {
  /** A message, or bytes that need not be one. */
  readonly payload: Message | Uint8Array;
}

/** The answers to a request, in the order in which they are sent. */
export type Script<Message> = (request: Message) => readonly Reply<Message>[];

/** Hears everything and says nothing. */
export const silent = (): readonly never[] => [];

/** Sends each answer of the script as this makes it. */
export const altered =
  <Message>(
    script: Script<Message>,
    alter: (answer: Message, request: Message) => Message,
  ): Script<Message> =>
  (request) =>
    script(request).map(({ payload }) => ({
      payload: payload instanceof Uint8Array ? payload : alter(payload, request),
    }));

/** Says everything so many times over. */
export const repeated =
  <Message>(script: Script<Message>, times: number): Script<Message> =>
  (request) =>
    Array.from({ length: times }, () => script(request)).flat();

/** Sends the answers of one script and then those of another. */
export const both =
  <Message>(first: Script<Message>, second: Script<Message>): Script<Message> =>
  (request) => [...first(request), ...second(request)];

/** Answers with noise; the same for the same seed. */
export const garbage =
  (count: number, seed: number): (() => readonly Reply<never>[]) =>
  () => {
    let state = seed;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    return Array.from({ length: count }, () => ({
      payload: Uint8Array.from({ length: next(600) }, () => next(256)),
    }));
  };
