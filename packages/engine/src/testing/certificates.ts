import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, ...parts);
const objectId = (hex: string): Buffer => tlv(0x06, Buffer.from(hex, 'hex'));
const bits = (content: Buffer): Buffer => tlv(0x03, Buffer.from([0]), content);
const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'));
const nameOf = (name: string): Buffer =>
  sequence(tlv(0x31, sequence(objectId('550403'), tlv(0x0c, Buffer.from(name)))));
const extension = (id: string, content: Buffer): Buffer => sequence(objectId(id), tlv(0x04, content));
const utcTime = (date: Date): Buffer =>
  tlv(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

interface Identity {
  readonly name: string;
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
}

const identity = (name: string): Identity => ({
  name,
  keys: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
});

/** A certificate for 127.0.0.1, or one that may sign others, valid for an hour around now. */
function certificate(owner: Identity, issuer: Identity, isAuthority: boolean): string {
  const hour = 3_600_000;
  const isTrue = tlv(0x01, Buffer.from([0xff]));
  const extensions = isAuthority
    ? [extension('551d13', sequence(isTrue))]
    : [extension('551d11', sequence(tlv(0x87, Buffer.from([127, 0, 0, 1]))))];
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    nameOf(issuer.name),
    sequence(utcTime(new Date(Date.now() - hour)), utcTime(new Date(Date.now() + hour))),
    nameOf(owner.name),
    owner.keys.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signed = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuer.keys.privateKey)));
  return `-----BEGIN CERTIFICATE-----\n${signed.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
}

const privateKey = ({ keys }: Identity): string =>
  keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

export interface Certificates {
  /** ca.pem, cert.pem and key.pem of a client, as in DOCKER_CERT_PATH. */
  readonly folder: string;
  readonly server: { readonly ca: string; readonly cert: string; readonly key: string };
}

/** An authority, a server for 127.0.0.1 and a client, made for one test. Whoever asks removes the folder. */
export function makeCertificates(): Certificates {
  const [authority, server, client] = [identity('authority'), identity('server'), identity('client')];
  const ca = certificate(authority, authority, true);
  const folder = mkdtempSync(join(tmpdir(), 'berth-certificates-'));
  writeFileSync(join(folder, 'ca.pem'), ca);
  writeFileSync(join(folder, 'cert.pem'), certificate(client, authority, false));
  writeFileSync(join(folder, 'key.pem'), privateKey(client));
  return { folder, server: { ca, cert: certificate(server, authority, false), key: privateKey(server) } };
}
