/**
 * Who asks: API keys, the accounts they speak for, and who may change them. The accounts themselves
 * are part of the replicated state.
 */
@NullMarked
package coop.sahkar.coordinator.accounts;

import org.jspecify.annotations.NullMarked;
