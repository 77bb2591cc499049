import { decodeDhcp4, dhcp4Message, encodeDhcp4, parseIpv4, parseMac, toHex } from '@berth/dhcp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientIdOf, dhcp6IdentityOf } from './identity.ts';

const chaddr = parseMac('02:00:00:00:00:01') ?? expect.fail('no MAC');
const ciaddr = parseIpv4('0.0.0.0') ?? expect.fail('no address');

describe('the identity for DHCP', () => {
  it('in IPv4 is a zero and the host name, as reservations know it', () => {
    expect(toHex(clientIdOf('mail'))).toBe('006d61696c');
  });

  it('in IPv6 is the host name’s, for ever', () => {
    const { clientId, iaid } = dhcp6IdentityOf('mail');
    expect([toHex(clientId), iaid]).toEqual(['0004fd1d85af7655895287f143a87407f709', 1565388386]);
    expect(dhcp6IdentityOf('mail')).toEqual({ clientId, iaid });
    expect(dhcp6IdentityOf('nextcloud')).not.toEqual({ clientId, iaid });
  });

  it('fits into a message that can be read again, whatever the name', () => {
    const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 600 });
    fc.assert(
      fc.property(names, (name) => {
        const message = dhcp4Message({
          type: 'discover',
          op: 'request',
          xid: 1,
          chaddr,
          ciaddr,
          options: { hostName: name, clientId: clientIdOf(name) },
        });
        const read = decodeDhcp4(encodeDhcp4(message));
        expect(read.ok && read.value.options.clientId).toEqual(clientIdOf(name));
      }),
    );
  });
});
