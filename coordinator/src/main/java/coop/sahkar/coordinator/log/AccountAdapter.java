package coop.sahkar.coordinator.log;

import com.google.protobuf.ByteString;
import coop.sahkar.coordinator.state.Command.ChangeAccount;
import coop.sahkar.coordinator.state.Command.ChangePolicy;
import coop.sahkar.coordinator.state.Command.RevokeKey;
import coop.sahkar.coordinator.state.Command.Setting;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Account;
import coop.sahkar.governance.AccountBook;
import coop.sahkar.governance.ApiKey;
import coop.sahkar.governance.DayUsage;
import coop.sahkar.governance.Role;
import coop.sahkar.governance.Tier;
import coop.sahkar.proto.v1.AccessEntry;
import coop.sahkar.proto.v1.AccountChangeEntry;
import coop.sahkar.proto.v1.AccountEntry;
import coop.sahkar.proto.v1.AccountTokensEntry;
import coop.sahkar.proto.v1.ApiKeyEntry;
import coop.sahkar.proto.v1.DayUsageEntry;
import coop.sahkar.proto.v1.PolicyChangeEntry;
import coop.sahkar.proto.v1.PoolSnapshot;
import coop.sahkar.proto.v1.RevocationEntry;
import coop.sahkar.proto.v1.SettingEntry;
import coop.sahkar.proto.v1.TierEntry;
import java.util.HexFormat;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Accounts, keys and tiers, there and back. The numbers of roles are part of the format. */
final class AccountAdapter {
    private AccountAdapter() {}

    static AccountEntry write(Account a) {
        return AccountEntry.newBuilder()
                .setId(a.id())
                .setName(a.name())
                .setRole(write(a.role()))
                .setTier(a.tier())
                .setCreatedAtMillis(a.createdAtMillis())
                .build();
    }

    static Account read(AccountEntry a) {
        return new Account(
                a.getId(), a.getName(), role(a.getRole()), a.getTier(), a.getCreatedAtMillis());
    }

    private static int write(Role role) {
        return switch (role) {
            case OPERATOR -> 1;
            case MEMBER -> 2;
            case SERVICE -> 3;
        };
    }

    private static Role role(int number) {
        return switch (number) {
            case 1 -> Role.OPERATOR;
            case 2 -> Role.MEMBER;
            case 3 -> Role.SERVICE;
            default -> throw new LogFormatException("an account has the unknown role " + number);
        };
    }

    static AccountChangeEntry write(ChangeAccount c) {
        return AccountChangeEntry.newBuilder()
                .setId(c.id())
                .setName(c.name())
                .setRole(c.role().map(AccountAdapter::write).orElse(0))
                .setTier(c.tier())
                .setAtMillis(c.atMillis())
                .build();
    }

    static ChangeAccount read(AccountChangeEntry c) {
        return new ChangeAccount(
                c.getId(),
                c.getName(),
                c.getRole() == 0 ? Optional.empty() : Optional.of(role(c.getRole())),
                c.getTier(),
                c.getAtMillis());
    }

    static PolicyChangeEntry write(ChangePolicy c) {
        PolicyChangeEntry.Builder entry = PolicyChangeEntry.newBuilder();
        c.settings().forEach(setting -> entry.addSettings(write(setting)));
        c.expected().forEach(setting -> entry.addExpected(write(setting)));
        return entry.build();
    }

    static ChangePolicy read(PolicyChangeEntry c) {
        return new ChangePolicy(
                c.getSettingsList().stream().map(AccountAdapter::read).toList(),
                c.getExpectedList().stream().map(AccountAdapter::read).toList());
    }

    private static SettingEntry write(Setting s) {
        return SettingEntry.newBuilder().setName(s.name()).setValue(s.value()).build();
    }

    private static Setting read(SettingEntry s) {
        return new Setting(s.getName(), s.getValue());
    }

    static ApiKeyEntry write(ApiKey k) {
        return ApiKeyEntry.newBuilder()
                .setId(k.id())
                .setHash(ByteString.copyFrom(HexFormat.of().parseHex(k.hash())))
                .setAccountId(k.accountId())
                .setLabel(k.label())
                .setCreatedAtMillis(k.createdAtMillis())
                .setRevokedAtMillis(k.revokedAtMillis())
                .build();
    }

    static ApiKey read(ApiKeyEntry k) {
        return new ApiKey(
                k.getId(),
                HexFormat.of().formatHex(k.getHash().toByteArray()),
                k.getAccountId(),
                k.getLabel(),
                k.getCreatedAtMillis(),
                k.getRevokedAtMillis());
    }

    static RevocationEntry write(RevokeKey c) {
        return RevocationEntry.newBuilder().setKeyId(c.keyId()).setAtMillis(c.atMillis()).build();
    }

    static RevokeKey read(RevocationEntry r) {
        return new RevokeKey(r.getKeyId(), r.getAtMillis());
    }

    static AccessEntry write(Access access) {
        AccessEntry.Builder entry = AccessEntry.newBuilder().setAnonymous(access.anonymous());
        access.tiers()
                .values()
                .forEach(t ->
                        entry.addTiers(
                                TierEntry.newBuilder()
                                        .setName(t.name())
                                        .setRequestsPerMinute(t.requestsPerMinute())
                                        .setTokensPerMinute(t.tokensPerMinute())
                                        .setTokensPerDay(t.tokensPerDay())
                                        .setConcurrentSessions(t.concurrentSessions())
                                        .setContextTokens(t.contextTokens())));
        return entry.build();
    }

    static Access read(AccessEntry entry) {
        SortedMap<String, Tier> tiers = new TreeMap<>();
        for (TierEntry t : entry.getTiersList()) {
            tiers.put(
                    t.getName(),
                    new Tier(
                            t.getName(),
                            t.getRequestsPerMinute(),
                            t.getTokensPerMinute(),
                            t.getTokensPerDay(),
                            t.getConcurrentSessions(),
                            t.getContextTokens()));
        }
        return new Access(entry.getAnonymous(), tiers);
    }

    static DayUsageEntry write(DayUsage usage) {
        DayUsageEntry.Builder entry = DayUsageEntry.newBuilder().setDay(usage.day());
        usage.tokens()
                .forEach((account, tokens) ->
                        entry.addAccounts(
                                AccountTokensEntry.newBuilder()
                                        .setAccountId(account)
                                        .setTokens(tokens)));
        return entry.build();
    }

    static DayUsage read(DayUsageEntry entry) {
        SortedMap<String, Long> tokens = new TreeMap<>();
        entry.getAccountsList().forEach(one -> tokens.put(one.getAccountId(), one.getTokens()));
        return new DayUsage(entry.getDay(), tokens);
    }

    static void write(AccountBook book, PoolSnapshot.Builder snapshot) {
        snapshot.setAccess(write(book.access())).setDayUsage(write(book.dayUsage()));
        book.accounts().values().forEach(a -> snapshot.addAccounts(write(a)));
        book.keys().values().forEach(k -> snapshot.addApiKeys(write(k)));
    }

    /** Older releases knew no accounts: such a pool serves everybody, as it did. */
    static AccountBook read(PoolSnapshot snapshot) {
        SortedMap<String, Account> accounts = new TreeMap<>();
        snapshot.getAccountsList().forEach(a -> accounts.put(a.getId(), read(a)));
        SortedMap<String, ApiKey> keys = new TreeMap<>();
        snapshot.getApiKeysList().stream()
                .map(AccountAdapter::read)
                .forEach(k -> keys.put(k.hash(), k));
        Access access = snapshot.hasAccess() ? read(snapshot.getAccess()) : Access.DEFAULT;
        return new AccountBook(access, accounts, keys, read(snapshot.getDayUsage()));
    }
}
