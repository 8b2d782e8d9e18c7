package coop.sahkar.governance;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Who may ask the pool, and how much.
 *
 * @param anonymous whether callers without a key are served
 * @param tiers by name; {@link #ANONYMOUS} and {@link #MEMBER} are always among them
 */
public record Access(boolean anonymous, SortedMap<String, Tier> tiers) {
    /** The tier of callers without a key, each known by its network address. */
    public static final String ANONYMOUS = "anonymous";

    /** The tier of accounts that were given no other. */
    public static final String MEMBER = "member";

    /** Tiers of one pool. */
    public static final int MAX_TIERS = 32;

    /** A new pool serves everybody and limits nobody. */
    public static final Access DEFAULT = new Access(true, new TreeMap<>());

    /**
     * Checks the number of tiers, and adds those that must be there.
     *
     * @throws IllegalArgumentException in a sentence
     */
    public Access {
        TreeMap<String, Tier> all = new TreeMap<>(tiers);
        all.putIfAbsent(ANONYMOUS, Tier.unlimited(ANONYMOUS));
        all.putIfAbsent(MEMBER, Tier.unlimited(MEMBER));
        if (all.size() > MAX_TIERS) {
            throw new IllegalArgumentException("a pool has at most %s tiers".formatted(MAX_TIERS));
        }
        tiers = Collections.unmodifiableSortedMap(all);
    }

    /** The tier of this name; that of callers without a key where there is none. */
    public Tier tier(String name) {
        Tier found = tiers.get(name);
        return found == null ? tiers.getOrDefault(ANONYMOUS, Tier.unlimited(ANONYMOUS)) : found;
    }
}
