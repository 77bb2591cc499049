import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { storeFolder } from './store-folder.ts';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes certificates with the openssl program, in a folder that goes away. */
export function certificateFolder() {
  const folder = storeFolder();
  const openssl = (...argv: string[]): void => void execFileSync('openssl', argv, { stdio: 'pipe' });
  const made = (name: string): Certificate => ({
    certFile: folder.path(`${name}.pem`),
    keyFile: folder.path(`${name}.key`),
    cert: readFileSync(folder.path(`${name}.pem`), 'utf8'),
    key: readFileSync(folder.path(`${name}.key`), 'utf8'),
  });
  const request = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  return {
    /** An authority of its own. */
    authority(name: string): Certificate {
      const files = ['-keyout', folder.path(`${name}.key`), '-out', folder.path(`${name}.pem`)];
      openssl(...request, '-x509', '-subj', `/CN=${name}`, '-days', '2', ...files);
      return made(name);
    },
    /** A certificate of the authority, with alternative names such as `DNS:fred` or `IP:127.0.0.1`. */
    issue(authority: string, name: string, commonName: string, alternatives: readonly string[]): Certificate {
      const [key, csr, pem] = ['key', 'csr', 'pem'].map((kind) => folder.path(`${name}.${kind}`)) as [
        string,
        string,
        string,
      ];
      const extensions = folder.path(`${name}.ext`);
      writeFileSync(
        extensions,
        alternatives.length === 0 ? '' : `subjectAltName=${alternatives.join(',')}\n`,
      );
      openssl(...request, '-subj', `/CN=${commonName}`, '-keyout', key, '-out', csr);
      const ca = [
        '-CA',
        folder.path(`${authority}.pem`),
        '-CAkey',
        folder.path(`${authority}.key`),
        '-CAcreateserial',
      ];
      openssl('x509', '-req', '-in', csr, ...ca, '-days', '2', '-extfile', extensions, '-out', pem);
      return made(name);
    },
    path: folder.path,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
