/** Pages of reference made from the tables that the programs run on. For the script that writes docs/reference. */
export { jsonSchemaOf, markdownReference } from './config/reference.ts';
