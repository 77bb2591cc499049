import { errorText } from '@berth/service/log';
import { errors } from '../errors.ts';

export interface Answer {
  readonly status: number;
  /** JSON unless another type is given; undefined: no body. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The one form of every answer that is not a success. */
export interface Envelope {
  readonly error: string;
  readonly validation_code?: 'unknown_sku' | 'invalid_manifest' | 'image_not_allowed';
  readonly code?: 'already_provisioned' | 'demote_exceeds_tier';
}

/** Texts quote what the caller wrote, and he may have written anything. */
const longestText = 4096;
const shortened = (text: string): string =>
  text.length <= longestText ? text : `${text.slice(0, longestText - 3)}...`;

export const refusal = (status: number, error: string, more: Partial<Envelope> = {}): Answer => ({
  status,
  body: { error: shortened(error), ...more } satisfies Envelope,
});

/** Also when it does not come whole. */
export const bodyTooLarge = refusal(413, 'request body too large');

/** Thrown by a route for an answer of its own. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(status: number, error: string) {
    super(error);
    this.answer = refusal(status, error);
  }
}

/** What the caller may see of an error that is nobody's mistake. */
export type InternalText = 'hidden' | 'shown';

const internalError = 'internal server error';

/** The answer for an error of an operation; the daemon tells them apart by status and code. */
export function answerFor(error: unknown, internal: InternalText, route: string): Answer {
  if (error instanceof Refused) return error.answer;
  if (errors.is(error)) {
    const { code, message } = error;
    switch (code) {
      case 'validation':
        return refusal(400, message);
      case 'unknown_sku':
      case 'invalid_manifest':
      case 'image_not_allowed':
        return refusal(400, message, { validation_code: code });
      case 'not_provisioned':
        return refusal(404, message);
      case 'already_provisioned':
        return refusal(409, message, route === '/restore' ? { code } : {});
      case 'invalid_state':
        return refusal(409, message);
      case 'not_retained':
        return refusal(422, message);
      case 'demote_exceeds_tier':
        return refusal(422, message, { code });
      case 'insufficient_resources':
        return refusal(503, message);
    }
  }
  return refusal(500, internal === 'shown' ? errorText(error) || internalError : internalError);
}
