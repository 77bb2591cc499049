import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:https';
import { createSecureContext, type PeerCertificate, type TLSSocket } from 'node:tls';
import { errorText } from '@berth/service/log';
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
  try {
    createSecureContext(options);
  } catch (cause) {
    const files = `tls_cert_file ${settings.certFile} and tls_key_file ${settings.keyFile}`;
    throw errors.error('tls_unusable', `${files} do not make a pair: ${errorText(cause)}`, { cause });
  }
  if (settings.clientCaFile === '') return options;
  const ca = [...certificatesOf(settings.clientCaFile)];
  return { ...options, ca, requestCert: true, rejectUnauthorized: true };
}

const pem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function certificatesOf(file: string): readonly string[] {
  const found = fileOf('tls_client_ca_file', file).match(pem) ?? [];
  if (found.length === 0)
    throw errors.error('tls_unusable', `tls_client_ca_file ${file} has no certificate in it`);
  try {
    for (const certificate of found) new X509Certificate(certificate);
  } catch (cause) {
    const what = `tls_client_ca_file ${file} has a certificate that cannot be read`;
    throw errors.error('tls_unusable', `${what}: ${errorText(cause)}`, { cause });
  }
  return found;
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
  return socket.authorized && certificateNames(certificate).some((name) => names.includes(name));
}

/** What is read of a certificate. */
interface Named {
  readonly subject?: { readonly CN?: string | readonly string[] | undefined };
  /** As Node writes it. */
  readonly subjectaltname?: string | undefined;
}

/** Common name and DNS names of a certificate. */
export function certificateNames({ subject, subjectaltname = '' }: Named): readonly string[] {
  const common = [subject?.CN ?? []].flat().slice(-1);
  return [...common, ...dnsNames(subjectaltname)];
}

/**
 * Entry by entry from the left: what is written inside an entry of another kind (a URI, say) is no name, however it is
 * escaped there. A text that cannot be taken apart to its end has no names.
 */
function dnsNames(text: string): readonly string[] {
  const names: string[] = [];
  const entry = /([A-Za-z][A-Za-z ]*):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;
  while (entry.lastIndex < text.length) {
    const [, kind, value = ''] = entry.exec(text) ?? [];
    if (kind === undefined) return [];
    if (kind === 'DNS') names.push(value.startsWith('"') ? String(JSON.parse(value)) : value);
  }
  return names;
}
