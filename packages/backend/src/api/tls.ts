import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { errors } from '../errors.ts';

export interface TlsSettings {
  readonly certFile: string;
  readonly keyFile: string;
  /** Empty: clients need no certificate. */
  readonly clientCaFile: string;
  /** Empty: any client of the authority. */
  readonly clientNames: readonly string[];
}

/** Reads the files once; what cannot be read or used is an error now, and not at the first request. */
export function tlsOptions(settings: TlsSettings): ServerOptions {
  const options: ServerOptions = {
    cert: fileOf('tls_cert_file', settings.certFile),
    key: fileOf('tls_key_file', settings.keyFile),
    minVersion: 'TLSv1.3',
  };
  if (settings.clientCaFile === '') return options;
  const ca = fileOf('tls_client_ca_file', settings.clientCaFile);
  if (!ca.includes('-----BEGIN CERTIFICATE-----'))
    throw errors.error(
      'tls_unusable',
      `tls_client_ca_file ${settings.clientCaFile} has no certificate in it`,
    );
  return { ...options, ca, requestCert: true, rejectUnauthorized: true };
}

function fileOf(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw errors.error('tls_unusable', `${key} ${path} cannot be read`, { cause: error });
  }
}

/** Does the client have one of the names? Asked for every connection, resumed sessions as well. */
export function clientIsAllowed(socket: TLSSocket, names: readonly string[]): boolean {
  if (names.length === 0) return true;
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  return socket.authorized && namesOf(certificate).some((name) => names.includes(name));
}

function namesOf({ subject, subjectaltname = '' }: Partial<PeerCertificate>): readonly string[] {
  const common = subject?.CN;
  const alternatives = Array.from(
    subjectaltname.matchAll(/(?:^|, )DNS:("(?:[^"\\]|\\.)*"|[^,]*)/g),
    ([, name = '']) => (name.startsWith('"') ? String(JSON.parse(name)) : name),
  );
  const commons = Array.isArray(common) ? common : [common];
  return [...commons.filter((name) => typeof name === 'string'), ...alternatives];
}
