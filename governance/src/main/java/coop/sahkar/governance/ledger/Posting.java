package coop.sahkar.governance.ledger;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One entry of the journal: what a batch moved. Amounts are never negative, and both sides have the
 * same sum.
 *
 * @param coordinator whose batch it was
 * @param sequence the batch's number
 * @param atMillis the ledger's time
 * @param spentMicros by account
 * @param earnedMicros by account
 */
public record Posting(
        String coordinator,
        long sequence,
        long atMillis,
        SortedMap<String, Long> spentMicros,
        SortedMap<String, Long> earnedMicros) {
    public Posting {
        spentMicros = Collections.unmodifiableSortedMap(new TreeMap<>(spentMicros));
        earnedMicros = Collections.unmodifiableSortedMap(new TreeMap<>(earnedMicros));
    }

    /** Lines of it. */
    public int entries() {
        return spentMicros.size() + earnedMicros.size();
    }

    /** Whether it moved anything of an account. */
    public boolean touches(String account) {
        return spentMicros.containsKey(account) || earnedMicros.containsKey(account);
    }
}
