package coop.sahkar.governance;

import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Who may ask, with which keys, and how much. Immutable.
 *
 * @param access tiers and their limits
 * @param accounts by id
 * @param keys by hash, the revoked ones among them
 * @param dayUsage what was used today
 */
public record AccountBook(
        Access access,
        SortedMap<String, Account> accounts,
        SortedMap<String, ApiKey> keys,
        DayUsage dayUsage) {
    /** Nobody yet. */
    public static final AccountBook EMPTY =
            new AccountBook(Access.DEFAULT, new TreeMap<>(), new TreeMap<>(), DayUsage.NONE);

    public AccountBook {
        accounts = Collections.unmodifiableSortedMap(accounts);
        keys = Collections.unmodifiableSortedMap(keys);
    }

    /** The account of this name, if there is one. */
    public Optional<Account> named(String name) {
        return accounts.values().stream().filter(a -> a.name().equals(name)).findFirst();
    }

    /** The key of this id, if there is one. */
    public Optional<ApiKey> key(String id) {
        return keys.values().stream().filter(key -> key.id().equals(id)).findFirst();
    }

    /** An account's keys, oldest first. */
    public List<ApiKey> keysOf(String accountId) {
        return keys.values().stream()
                .filter(key -> key.accountId().equals(accountId))
                .sorted(Comparator.comparingLong(ApiKey::createdAtMillis).thenComparing(ApiKey::id))
                .toList();
    }

    /** The limits of an account; those of callers without a key for anybody else. */
    public Tier tierOf(String accountId) {
        Account account = accounts.get(accountId);
        return access.tier(account == null ? Access.ANONYMOUS : account.tier());
    }

    /** The same with other limits. */
    public AccountBook with(Access other) {
        return new AccountBook(other, accounts, keys, dayUsage);
    }

    /** The same with one account more, or changed. */
    public AccountBook with(Account account) {
        SortedMap<String, Account> more = new TreeMap<>(accounts);
        more.put(account.id(), account);
        return new AccountBook(access, more, keys, dayUsage);
    }

    /** The same with one key more, or changed. */
    public AccountBook with(ApiKey key) {
        SortedMap<String, ApiKey> more = new TreeMap<>(keys);
        more.put(key.hash(), key);
        return new AccountBook(access, accounts, more, dayUsage);
    }

    /** The same without a key. */
    public AccountBook without(ApiKey key) {
        SortedMap<String, ApiKey> fewer = new TreeMap<>(keys);
        fewer.remove(key.hash());
        return new AccountBook(access, accounts, fewer, dayUsage);
    }

    /** The same with more that was used; of accounts that it knows. */
    public AccountBook with(DayUsage newer) {
        SortedMap<String, Long> known = new TreeMap<>(newer.tokens());
        known.keySet().retainAll(accounts.keySet());
        return new AccountBook(
                access, accounts, keys, dayUsage.with(new DayUsage(newer.day(), known)));
    }
}
