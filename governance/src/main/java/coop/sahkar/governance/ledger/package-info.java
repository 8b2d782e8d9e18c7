/**
 * The co-operative's double-entry ledger: who has given tokens and who has used them, in whole
 * micro-credits. Pure values and functions; time is an argument.
 */
@NullMarked
package coop.sahkar.governance.ledger;

import org.jspecify.annotations.NullMarked;
