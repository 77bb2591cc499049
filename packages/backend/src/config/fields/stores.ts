/** Where things are written down, and for how long. */
import { optional, path } from '@berth/service/config';
import { hours, span } from '../spans.ts';

export const storesFields = {
  callbackDbPath: optional('callback_db_path', path({ minLength: 1 }), {
    default: 'callbacks.db',
    about: 'Callbacks that have not arrived.',
  }),
  callbackMaxAgeMs: optional('callback_max_age', span, {
    default: hours(24),
    about: 'How long an undelivered callback is kept; 0 for ever.',
  }),
  diagnosticsDbPath: optional('diagnostics_db_path', path({ minLength: 1 }), {
    default: 'diagnostics.db',
    about: 'Failure details.',
  }),
  diagnosticsMaxAgeMs: optional('diagnostics_max_age', span, {
    default: hours(168),
    about: 'How long failure details are kept; 0 for ever.',
  }),
  releasesDbPath: optional('releases_db_path', path({ minLength: 1 }), {
    default: 'releases.db',
    about: 'Leases and what they run.',
  }),
  releasesMaxAgeMs: optional('releases_max_age', span, {
    default: hours(2160),
    about:
      'How long old releases are kept; 0 for ever. The newest and the active one of a lease always stay.',
  }),
  retentionDbPath: optional('retention_db_path', path({ minLength: 1 }), {
    default: 'retention.db',
    about: 'Records of kept data.',
  }),
};
