/* The rule that a decoder has to keep, said the slow way. */
#ifndef TESTS_TCG_DECODE_RULE_H
#define TESTS_TCG_DECODE_RULE_H

#include "tcg/decode.h"

/*
 * Compares table->find with the rows as they are written: of those whose bits match, which exclude nothing, and whose
 * features the CPU has, there is one or none. Takes `words` random words, each row's own ones, and those that a bit
 * keeps from being so, each with several sets of features. The first difference is printed. True: there is none.
 */
bool decode_keeps_rule(const DecodeTable *table, unsigned words);

#endif
