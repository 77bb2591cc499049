export { type AdmissionRules, allocationsOf, imagesOf } from './admission.ts';
export { type CloseContext, closeLease } from './close.ts';
export { DomainGate } from './domains.ts';
export type { RequestedItem } from './items.ts';
export { Operations, type ProvisionRequest, type ReplaceRequest, type UpdateRequest } from './operations.ts';
export { demandOwnTenant } from './own-tenant.ts';
export { type RestoreContext, type RestoreRequest, restore } from './restore.ts';
export { type InstanceFacts, type LeaseInspection, type ProvisionView, Views } from './views.ts';
