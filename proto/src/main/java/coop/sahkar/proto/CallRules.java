package coop.sahkar.proto;

import coop.sahkar.proto.v1.Started;
import java.util.Set;

/**
 * What is taken for a call in an answer.
 *
 * @param names the functions on offer
 * @param parallel whether an answer may hold several calls; otherwise nothing behind the first is
 *     told
 */
public record CallRules(Set<String> names, boolean parallel) {

    /** Reads an answer of the model that began. */
    public CallReader reader(Started started) {
        return new CallReader(
                CallSyntax.fromWire(started.getCallSyntax()).orElse(CallSyntax.TAGGED), this);
    }
}
