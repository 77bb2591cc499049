import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callbackUrlProblem } from './url.ts';

describe('a callback URL', () => {
  it.each([
    'https://example.com/callback',
    'https://example.com:8443/callback',
    'http://localhost/callback',
    'http://127.0.0.1/callback',
    'http://[::1]/callback',
    'http://10.0.0.1/callback',
    'https://203.0.113.50/callback',
    'HTTP://Example.com',
    'http://user@example.com/x?y=z',
  ])('%s is accepted', (url) => expect(callbackUrlProblem(url)).toBeUndefined());

  it.each([
    ['file:///etc/passwd', 'scheme must be http or https'],
    ['ftp://example.com/file', 'scheme must be http or https'],
    ['example.com/callback', 'scheme must be http or https'],
    ['http:///callback', 'host is required'],
    ['http://', 'host is required'],
    ['http:', 'host is required'],
    ['http:example.com', 'host is required'],
    ['http://:80/x', 'host is required'],
    ['http://?x', 'host is required'],
    ['http://169.254.169.254/latest/meta-data/', 'link-local addresses are not allowed'],
    ['http://169.254.1.1/callback', 'link-local addresses are not allowed'],
    ['http://2852039166/', 'link-local addresses are not allowed'],
    ['http://[fe80::1]/', 'link-local addresses are not allowed'],
    ['http://[febf::1]/', 'link-local addresses are not allowed'],
    ['http://224.0.0.1/', 'link-local addresses are not allowed'],
    ['http://[ff02::1]/', 'link-local addresses are not allowed'],
    ['http://[::ffff:169.254.1.1]/', 'link-local addresses are not allowed'],
    ['http://exa mple.com/', 'malformed URL'],
    ['http://example.com:99999/', 'malformed URL'],
    ['http://[::1/', 'malformed URL'],
  ])('%s is refused: %s', (url, problem) => expect(callbackUrlProblem(url)).toBe(problem));

  it('that is accepted can be called', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string(),
          fc.string().map((rest) => `http://${rest}`),
        ),
        (url) => {
          if (callbackUrlProblem(url) !== undefined) return;
          expect(new URL(url).protocol).toMatch(/^https?:$/);
          expect(new URL(url).hostname).not.toBe('');
        },
      ),
    );
  });
});
