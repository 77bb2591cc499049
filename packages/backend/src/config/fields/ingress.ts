/** Host names and custom domains through a reverse proxy. */
import { boolean, integer, list, optional, section, text } from '@berth/service/config';
import { resolverProblem } from '../limits.ts';

export const ingressField = section(
  'ingress',
  {
    fields: {
      enabled: optional('enabled', boolean(), {
        default: false,
        about: 'Publish labels for the reverse proxy.',
      }),
      wildcardDomain: optional('wildcard_domain', text(), {
        default: '',
        about: 'The domain below which every instance gets its host name.',
      }),
      entrypoint: optional('entrypoint', text(), { default: '', about: 'Entry point of the proxy.' }),
      certResolver: optional('custom_domain_cert_resolver', text(), {
        default: 'http01',
        whenEmpty: 'http01',
        about: 'Certificate resolver of the proxy for custom domains.',
      }),
      middlewares: optional('custom_domain_middlewares', list(text({ minLength: 1 })), {
        default: ['security-headers@file'],
        about: 'Middlewares of the proxy for custom domains.',
      }),
      dnsResolvers: optional('custom_domain_dns_resolvers', list(text()), {
        default: ['1.1.1.1:53', '8.8.8.8:53', '9.9.9.9:53'],
        about: 'Resolvers that are asked whether a custom domain exists.',
      }),
      dnsQuorum: optional('custom_domain_dns_quorum', integer({ min: 0 }), {
        default: 0,
        about: 'How many of them must know it; 0 for the majority.',
      }),
      dnsCheckDisabled: optional('custom_domain_dns_check_disabled', boolean(), {
        default: false,
        about: 'Serve custom domains without asking.',
      }),
    },
    rules: (rule) => [
      rule('wildcardDomain', ['enabled'], ({ enabled, wildcardDomain }) => {
        if (!enabled) return undefined;
        if (wildcardDomain === '') return 'must be set when ingress is enabled';
        return /^\.|\.$/.test(wildcardDomain) ? 'must not begin or end with a dot' : undefined;
      }),
      rule('entrypoint', ['enabled'], ({ enabled, entrypoint }) =>
        enabled && entrypoint === '' ? 'must be set when ingress is enabled' : undefined,
      ),
      rule('dnsResolvers', ['enabled'], ({ enabled, dnsResolvers }) =>
        enabled ? resolverProblem(dnsResolvers) : undefined,
      ),
    ],
  },
  'Host names and custom domains through a reverse proxy.',
);
