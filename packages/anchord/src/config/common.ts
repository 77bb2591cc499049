/** Settings that several modes have. */
import { duration, optional, text } from '@berth/service/config';

export const modeField = optional('ANCHORD_MODE', text(), {
  about:
    'What this container is: `network-anchor`, `service-anchor`, `external-rebinder`, `wrap-rebinder` or `doctor`. The first word of the command comes before it.',
  default: 'network-anchor',
});

/** An unknown word counts as `info`, as it always did; the program says so once. */
export const logLevelField = optional('ANCHORD_LOG_LEVEL', text(), {
  about:
    'The least important lines that are logged: `debug`, `info`, `warn` or `error`. Any other word means `info`.',
  default: 'info',
});

export const metricsAddressField = optional('ANCHORD_METRICS_ADDR', text(), {
  about:
    'Where `/metrics`, `/healthz` and `/readyz` are served, as `host:port`; `:9090` means every interface. Set it to the empty string to serve nothing. An address that can not be used is logged and stops nothing else.',
  default: '127.0.0.1:9090',
  whenEmpty: null,
});

const dockerHostField = optional('DOCKER_HOST', text(), {
  about: 'The Docker engine, or better a proxy in front of it: `unix:///path` or `tcp://host:port`.',
  default: 'unix:///var/run/docker.sock',
});

const tlsFields = {
  dockerTlsVerify: optional('DOCKER_TLS_VERIFY', text(), {
    about: 'Any text: speak TLS with the engine, and check its certificate.',
  }),
  dockerCertPath: optional('DOCKER_CERT_PATH', text(), {
    about: 'The folder with `ca.pem`, `cert.pem` and `key.pem` for TLS.',
    shownDefault: '~/.docker where DOCKER_TLS_VERIFY is set',
  }),
  dockerApiVersion: optional('DOCKER_API_VERSION', text(), {
    about: 'The version of the API to speak, instead of finding out which one the engine has.',
  }),
};

/** How the engine is reached; the client of the engine reads these itself, as all Docker tools do. */
export const dockerFields = { dockerHost: dockerHostField, ...tlsFields };

export const composeProjectField = optional('COMPOSE_PROJECT_NAME', text(), {
  about: 'Stands in for `ANCHORD_PROJECT`. Compose does not set it in containers by itself.',
});

/** A span that has to be above zero, or a loop would spin. */
export const positiveDuration = () => duration({ range: 'positive' });
