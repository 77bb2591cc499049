/** Numbers of nf_tables messages: their types, headers and the attributes of what they carry. */

const NFNL_SUBSYS_NFTABLES = 10;
const type = (number: number): number => (NFNL_SUBSYS_NFTABLES << 8) | number;

export const NFNL_MSG_BATCH_BEGIN = 16;
export const NFNL_MSG_BATCH_END = 17;
export const NFNL_BATCH_GENID = 1;
/** What a batch is for; stands where other messages have zero. */
export const BATCH_SUBSYSTEM = NFNL_SUBSYS_NFTABLES;

/** The multicast group that hears of every change to any ruleset of a namespace. */
export const NFNLGRP_NFTABLES = 7;

export const NEWTABLE = type(0);
export const GETTABLE = type(1);
export const DELTABLE = type(2);
export const NEWCHAIN = type(3);
export const GETCHAIN = type(4);
export const DELCHAIN = type(5);
export const NEWRULE = type(6);
export const GETRULE = type(7);
export const DELRULE = type(8);
export const NEWSET = type(9);
export const GETSET = type(10);
export const DELSET = type(11);
export const NEWSETELEM = type(12);
export const GETSETELEM = type(13);
export const DELSETELEM = type(14);
export const NEWGEN = type(15);
export const GETGEN = type(16);
export const NEWOBJ = type(18);
export const GETOBJ = type(19);
export const DELOBJ = type(20);

export const GEN_ID = 1;
export const GEN_PROCESS_ID = 2;
export const GEN_PROCESS_NAME = 3;

export const TABLE_NAME = 1;
export const TABLE_FLAGS = 2;
export const TABLE_USERDATA = 6;

export const CHAIN_TABLE = 1;
export const CHAIN_NAME = 3;
export const CHAIN_HOOK = 4;
export const CHAIN_POLICY = 5;
export const CHAIN_TYPE = 7;
export const CHAIN_FLAGS = 10;
export const CHAIN_USERDATA = 12;
/** Lives in one rule, and goes with it. */
export const CHAIN_FLAG_BINDING = 0x4;
export const HOOK_NUMBER = 1;
export const HOOK_PRIORITY = 2;

export const RULE_TABLE = 1;
export const RULE_CHAIN = 2;
export const RULE_HANDLE = 3;
export const RULE_EXPRESSIONS = 4;
export const RULE_POSITION = 6;
export const RULE_USERDATA = 7;

export const SET_TABLE = 1;
export const SET_NAME = 2;
export const SET_FLAGS = 3;
export const SET_KEY_TYPE = 4;
export const SET_KEY_LENGTH = 5;
export const SET_DATA_TYPE = 6;
export const SET_DATA_LENGTH = 7;
export const SET_DESCRIPTION = 9;
export const SET_ID = 10;
export const SET_TIMEOUT = 11;
export const SET_USERDATA = 13;
export const SET_EXPRESSION = 17;
export const DESCRIPTION_SIZE = 1;
export const DESCRIPTION_CONCAT = 2;
export const FIELD_LENGTH = 1;
export const DATA_TYPE_VERDICT = 0xffff_ff00;

export const FLAG_ANONYMOUS = 0x1;
export const FLAG_CONSTANT = 0x2;
export const FLAG_INTERVAL = 0x4;
export const FLAG_MAP = 0x8;
export const FLAG_TIMEOUT = 0x10;
export const FLAG_DYNAMIC = 0x20;
export const FLAG_CONCAT = 0x80;

/** The kernel puts a number in the place of `%d`; within its batch the set is known by its id. */
export const ANONYMOUS = '__set%d';
export const ANONYMOUS_MAP = '__map%d';

export const ELEMENTS_TABLE = 1;
export const ELEMENTS_SET = 2;
export const ELEMENTS_LIST = 3;
export const ELEMENTS_SET_ID = 4;
export const LIST_ELEMENT = 1;
export const ELEMENT_KEY = 1;
export const ELEMENT_DATA = 2;
export const ELEMENT_FLAGS = 3;
export const ELEMENT_TIMEOUT = 4;
export const ELEMENT_EXPIRATION = 5;
export const ELEMENT_USERDATA = 6;
export const ELEMENT_EXPRESSION = 7;
export const ELEMENT_KEY_END = 10;
export const ELEMENT_INTERVAL_END = 0x1;
export const DATA_VALUE = 1;
export const DATA_VERDICT = 2;

export const OBJECT_TABLE = 1;
export const OBJECT_NAME = 2;
export const OBJECT_TYPE = 3;
export const OBJECT_DATA = 4;
export const OBJECT_USERDATA = 8;
export const OBJECT_COUNTER = 1;
