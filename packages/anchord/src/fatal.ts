/** The last word of a process that could not even begin. */
import { CodedError } from '@berth/service';
import { lifecycleMessages } from '@berth/service/lifecycle';
import { createLog, stdoutSink } from '@berth/service/log';

export function sayFatal(err: unknown): void {
  const known = err instanceof CodedError ? { code: err.code, remedy: err.remedy } : {};
  createLog({ sink: stdoutSink() }).say(lifecycleMessages.fatal, { err, ...known });
}
