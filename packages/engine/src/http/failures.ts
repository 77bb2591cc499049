import { codeOfMessage } from '../docker-messages.ts';
import { type EngineError, type EngineErrorCode, engineErrors } from '../errors.ts';

const denied = new Set(['EACCES', 'EPERM']);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const isTls = (code: string): boolean =>
  code.startsWith('ERR_SSL_') ||
  code.startsWith('ERR_TLS_') ||
  code.startsWith('CERT_') ||
  code.startsWith('UNABLE_TO_') ||
  code.includes('SELF_SIGNED_CERT');

/** How far a call had got when its connection failed. */
export type Progress = 'connecting' | 'asked' | 'answering';

/** An error of our own for what Node says of a broken connection. Ours pass through as they are. */
export function connectionFailure(
  error: unknown,
  what: string,
  progress: Progress,
  where: string,
): EngineError {
  if (engineErrors.is(error)) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const fail = (code: EngineErrorCode, said: string): EngineError =>
    engineErrors.error(code, `cannot ${what}: ${said}`, { cause: error, details: { where } });
  const code = codeOf(error);
  if (isTls(code)) return fail('ENGINE_TLS', `TLS with ${where} failed: ${reason}`);
  if (code.startsWith('HPE_')) return fail('ENGINE_ANSWER', `${where} does not speak HTTP: ${reason}`);
  if (progress === 'connecting') {
    if (denied.has(code)) return fail('ENGINE_PERMISSION_DENIED', `may not connect to ${where}: ${reason}`);
    return fail('ENGINE_UNREACHABLE', `no connection to ${where}: ${reason}`);
  }
  if (progress === 'answering')
    return fail('ENGINE_TRUNCATED', `the answer of ${where} broke off: ${reason}`);
  return fail('ENGINE_CONNECTION_LOST', `${where} closed the connection without an answer: ${reason}`);
}

/** The sentence in an answer that is not a success: Docker's JSON, or what a proxy before it wrote. */
function messageOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed)
      return String(parsed.message).trim();
  } catch {
    // Not Docker's: shown as it came.
  }
  return body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
}

function codeOfStatus(status: number): EngineErrorCode {
  if (status === 400) return 'ENGINE_BAD_REQUEST';
  if (status === 401) return 'ENGINE_UNAUTHORIZED';
  if (status === 403) return 'ENGINE_PERMISSION_DENIED';
  if (status === 404) return 'ENGINE_NOT_FOUND';
  if (status === 409) return 'ENGINE_CONFLICT';
  if (status === 502 || status === 503 || status === 504) return 'ENGINE_UNAVAILABLE';
  if (status >= 500) return 'ENGINE_SERVER_ERROR';
  return 'ENGINE_ANSWER';
}

/** An error of our own for an answer that is not a success. */
export function answerFailure(status: number, body: string, what: string): EngineError {
  const message = messageOf(body);
  const code = codeOfMessage(status, message) ?? codeOfStatus(status);
  return engineErrors.error(
    code,
    `cannot ${what}: ${message === '' ? 'no reason given' : message} (HTTP ${status})`,
    {
      details: { status },
    },
  );
}
