package coop.sahkar.governance;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What accounts had used of their day, when that was last written down: so that a day's limit
 * outlives the coordinator that counts it. Totals, so that writing them twice changes nothing.
 *
 * @param day days since 1970, UTC
 * @param tokens of prompts and answers, by account id
 */
public record DayUsage(long day, SortedMap<String, Long> tokens) {
    /** Nothing yet. */
    public static final DayUsage NONE = new DayUsage(0, new TreeMap<>());

    public DayUsage {
        tokens = Collections.unmodifiableSortedMap(tokens);
    }

    /** What an account had used on a day. */
    public long tokens(String accountId, long onDay) {
        return onDay == day ? tokens.getOrDefault(accountId, 0L) : 0;
    }

    /** This and what was written down since; of a day that is past, nothing. */
    public DayUsage with(DayUsage newer) {
        if (newer.day() != day) {
            return newer.day() > day ? newer : this;
        }
        SortedMap<String, Long> all = new TreeMap<>(tokens);
        newer.tokens().forEach((account, used) -> all.merge(account, used, Math::max));
        return new DayUsage(day, all);
    }
}
