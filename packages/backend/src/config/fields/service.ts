/** Who we are, where we listen, whom we trust. */
import { boolean, list, oneOf, optional, path, required, secret, text } from '@berth/service/config';
import {
  bodySize,
  defaultBodySize,
  dockerHostProblem,
  hostAddressProblem,
  listenAddressProblem,
} from '../limits.ts';

export const serviceFields = {
  logLevel: optional('log_level', oneOf(['', 'debug', 'info', 'warn', 'error'], { anyCase: true }), {
    default: '',
    about: 'What is logged; empty means `info`.',
  }),
  name: optional('name', text({ minLength: 1 }), {
    default: 'docker',
    about: 'Identity of this backend in labels, callbacks and logs. Several backends may share one engine.',
  }),
  maxRequestBodySize: optional('max_request_body_size', bodySize(), {
    default: defaultBodySize,
    about: 'Largest body of a request, in bytes; 0 and less mean the default.',
    env: { variable: 'DOCKER_BACKEND_MAX_REQUEST_BODY_SIZE', skipInvalid: true },
  }),
  listenAddr: optional('listen_addr', text({ minLength: 1 }), {
    default: ':9001',
    about: 'Where requests are taken.',
    check: listenAddressProblem,
    env: { variable: 'DOCKER_BACKEND_ADDR' },
  }),
  tlsCertFile: optional('tls_cert_file', path(), {
    default: '',
    about: 'Certificate of the listener (PEM).',
  }),
  tlsKeyFile: optional('tls_key_file', path(), { default: '', about: 'Its key (PEM).' }),
  tlsClientCaFile: optional('tls_client_ca_file', path(), {
    default: '',
    about: 'Clients must have a certificate of one of these authorities (PEM).',
  }),
  tlsClientAllowedNames: optional('tls_client_allowed_names', list(text({ minLength: 1 })), {
    default: [],
    about: 'Names (common name or DNS name, exactly) that a client certificate must have.',
  }),
  dockerHost: optional('docker_host', text({ minLength: 1 }), {
    default: 'unix:///var/run/docker.sock',
    about: 'The container engine.',
    check: dockerHostProblem,
    env: { variable: 'DOCKER_HOST' },
  }),
  callbackSecret: required('callback_secret', secret({ minLength: 32 }), {
    about: 'Shared with the daemon; signs requests and callbacks. At least 32 characters.',
    env: { variable: 'DOCKER_BACKEND_CALLBACK_SECRET' },
  }),
  hostAddress: required('host_address', text(), {
    about: 'Where tenants reach published ports.',
    check: hostAddressProblem,
    env: { variable: 'DOCKER_BACKEND_HOST_ADDRESS' },
  }),
  callbackInsecureSkipVerify: optional('callback_insecure_skip_verify', boolean(), {
    default: false,
    about: 'Take any certificate when calling back. For development only.',
  }),
  productionMode: optional('production_mode', boolean(), {
    default: false,
    about: 'Refuses settings that are for development only.',
  }),
};
