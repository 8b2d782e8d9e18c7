/**
 * What clients asked of replicated registers and heard, and whether one copy could have said it.
 */
@NullMarked
package coop.sahkar.deploy.history;

import org.jspecify.annotations.NullMarked;
