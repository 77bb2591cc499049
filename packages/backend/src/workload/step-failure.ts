import { errorText } from '@berth/service/log';
import { type Failure, type FailureText, failureText, type Reason } from '../lease/index.ts';
import { StartupFailure } from './startup.ts';

/** A step that failed, in the words that the caller is told. */
export class StepFailure extends Error {
  readonly text: FailureText;
  readonly reason: Reason;

  constructor(text: FailureText, reason: Reason, cause: unknown) {
    super(`${text}: ${errorText(cause)}`, { cause });
    this.text = text;
    this.reason = reason;
  }
}

/** Runs a step; whatever goes wrong in it is that step's failure. */
export async function step<T>(
  text: FailureText,
  run: () => Promise<T>,
  reason: Reason = 'ContainerExited',
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof StepFailure ? error : new StepFailure(textOf(error, text), reason, error);
  }
}

const textOf = (error: unknown, usual: FailureText): FailureText =>
  error instanceof StartupFailure ? error.text : usual;

/** What the lease remembers of it. Something that is no failure of a step must not happen: it counts as a crash. */
export function failureOf(error: unknown, detail = errorText(error)): Failure {
  if (error instanceof StepFailure) return { reason: error.reason, message: error.text, detail };
  return { reason: 'Internal', message: failureText.internal, detail };
}
