import { ByteReader, ByteWriter, type Mac, macBytes, readMac } from '../wire/index.ts';

/** A DHCP unique identifier (RFC 8415, 11), taken apart as far as that goes. */
export type Duid =
  | { readonly kind: 'link-layer-and-time'; readonly time: number; readonly mac: Mac }
  | { readonly kind: 'link-layer'; readonly mac: Mac }
  | { readonly kind: 'uuid'; readonly uuid: Uint8Array }
  | { readonly kind: 'other'; readonly type: number; readonly content: Uint8Array };

const duidType = { linkLayerAndTime: 1, linkLayer: 3, uuid: 4 } as const;
const ethernet = 1;

export function encodeDuid(duid: Duid): Uint8Array {
  const writer = new ByteWriter();
  switch (duid.kind) {
    case 'link-layer-and-time':
      writer.u16(duidType.linkLayerAndTime).u16(ethernet).u32(duid.time).put(macBytes(duid.mac));
      break;
    case 'link-layer':
      writer.u16(duidType.linkLayer).u16(ethernet).put(macBytes(duid.mac));
      break;
    case 'uuid':
      writer.u16(duidType.uuid).put(duid.uuid);
      break;
    case 'other':
      writer.u16(duid.type).put(duid.content);
      break;
    default:
      duid satisfies never;
  }
  return writer.bytes();
}

/** Nothing where the bytes are no identifier: shorter than 3 or longer than 130 bytes. */
export function decodeDuid(bytes: Uint8Array): Duid | undefined {
  if (!isDuid(bytes)) return undefined;
  const reader = new ByteReader(bytes);
  const type = reader.u16();
  const content = bytes.slice(2);
  if (type === duidType.linkLayerAndTime && bytes.length === 14 && reader.u16() === ethernet) {
    return { kind: 'link-layer-and-time', time: reader.u32(), mac: readMac(reader) };
  }
  if (type === duidType.linkLayer && bytes.length === 10 && reader.u16() === ethernet) {
    return { kind: 'link-layer', mac: readMac(reader) };
  }
  if (type === duidType.uuid && bytes.length === 18) return { kind: 'uuid', uuid: content };
  return { kind: 'other', type, content };
}

export const isDuid = (bytes: Uint8Array): boolean => bytes.length >= 3 && bytes.length <= 130;
