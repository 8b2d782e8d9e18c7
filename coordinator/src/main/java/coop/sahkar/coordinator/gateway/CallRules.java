package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.CallSyntax;
import coop.sahkar.proto.v1.Started;
import java.util.Set;

/**
 * What is taken for a call in an answer.
 *
 * @param names the functions on offer
 * @param parallel whether an answer may hold several calls; otherwise nothing behind the first is
 *     told
 */
record CallRules(Set<String> names, boolean parallel) {

    /** Reads an answer of the model that began. */
    CallReader reader(Started started) {
        return new CallReader(
                CallSyntax.fromWire(started.getCallSyntax()).orElse(CallSyntax.TAGGED), this);
    }
}
