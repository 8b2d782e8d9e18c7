package coop.sahkar.coordinator.accounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import coop.sahkar.coordinator.FakeLog;
import coop.sahkar.coordinator.log.SnapshotCodec;
import coop.sahkar.coordinator.state.Command.SetAccess;
import coop.sahkar.coordinator.state.Command.Setting;
import coop.sahkar.governance.Access;
import coop.sahkar.governance.Role;
import coop.sahkar.proto.Problem;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is known, who is anonymous, who is refused, and who may make keys. */
class DoorkeeperTest {
    private static final InetAddress HERE = address("192.0.2.7");

    private final FakeLog log = new FakeLog();
    private final String hostKey = KeyText.draw(new Random(5));
    private final Doorkeeper door = new Doorkeeper(log, KeyText.hash(hostKey));
    private final AccountDesk desk = new AccountDesk(log, new Random(6), () -> 77);

    @ParameterizedTest
    @NullSource
    @ValueSource(
            strings = {
                "Bearer none",
                "Bearer sk-no-key-required",
                "bearer ollama",
                "Bearer",
                "Bearer ",
                "Basic dXNlcjpwYXNz",
                "sk-proj-0123456789"
            })
    void whatIsNoKeyOfOursIsNoKey(@Nullable String header) {
        Caller caller = known(header, null);
        assertThat(caller.keyed()).isFalse();
        assertThat(caller.account()).isEqualTo("192.0.2.7");
        log.propose(new SetAccess(new Access(false, new TreeMap<>())));
        assertThat(door.identify(header, null, HERE)).isInstanceOf(Doorkeeper.Entry.Refused.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sk-sahkar-",
                "sk-sahkar-0123",
                "SK-SAHKAR-abc",
                "sk-sahkar-000000000000000000000000000000000000000000000000",
                "sk-sahkar-\u0000"
            })
    void whatLooksLikeOursMustBeOne(String key) {
        assertThat(door.identify("Bearer " + key, null, HERE))
                .isInstanceOf(Doorkeeper.Entry.Refused.class);
        assertThat(door.identify(null, key, HERE)).isInstanceOf(Doorkeeper.Entry.Refused.class);
    }

    @Test
    void aKeyIsKnownUntilItIsRevokedAndKeptAsAHashOnly() {
        AccountDesk.Made made = desk.create(host(), "asha", "", "", "laptop");
        assertThat(made.secret()).matches("sk-sahkar-[0-9a-f]{48}");
        assertThat(known("Bearer " + made.secret(), null).name()).isEqualTo("asha");
        assertThat(known("Bearer none", made.secret()).name()).isEqualTo("asha");
        String snapshot = new String(SnapshotCodec.write(log.state()), StandardCharsets.ISO_8859_1);
        assertThat(snapshot).contains("asha").doesNotContain(made.secret().substring(10));
        assertThat(made.toString()).doesNotContain(made.secret());

        desk.revoke(host(), made.listed().key().id());
        assertThat(door.identify("Bearer " + made.secret(), null, HERE))
                .isInstanceOfSatisfying(
                        Doorkeeper.Entry.Refused.class,
                        refused -> assertThat(refused.problem().message()).contains("revoked"));
    }

    @Test
    void membersHaveTheirOwnKeysAndServicesNone() {
        Caller asha = known("Bearer " + desk.create(host(), "asha", "", "", "").secret(), null);
        Caller robot =
                known("Bearer " + desk.create(host(), "robot", "service", "", "").secret(), null);
        assertThat(desk.create(asha, "", "", "", "second").listed().account().name())
                .isEqualTo("asha");
        assertThat(desk.keys(asha)).hasSize(2);
        assertThat(desk.keys(host())).hasSize(3);
        forbidden(() -> desk.create(asha, "bela", "", "", ""));
        forbidden(() -> desk.create(asha, "", "operator", "", ""));
        forbidden(() -> desk.create(asha, "", "", "member", ""));
        forbidden(() -> desk.create(robot, "", "", "", ""));
        forbidden(() -> desk.keys(robot));
        String robots = desk.keys(host()).get(2).key().id();
        forbidden(() -> desk.revoke(asha, robots));
        forbidden(() -> desk.revoke(robot, robots));
        forbidden(() -> change(asha, new Setting("anonymous", "off")));
        forbidden(() -> desk.keys(known(null, null)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anOperatorSetsTiersAndMovesAccounts(boolean withOlderReleases) {
        if (!withOlderReleases) {
            log.raise();
        }
        change(
                host(),
                new Setting("anonymous", "off"),
                new Setting("tiers.gold.requests_per_minute", "9"),
                new Setting("pool.max_wait_millis", "1234"));
        String key = desk.create(host(), "asha", "operator", "gold", "").secret();
        Caller asha = known("Bearer " + key, null);
        assertThat(asha.role()).isEqualTo(Role.OPERATOR);
        assertThat(asha.tier().requestsPerMinute()).isEqualTo(9);
        assertThat(log.state().policy().maxWaitMillis()).isEqualTo(1234);
        assertThatThrownBy(() -> change(asha, new Setting("tiers.gold", "none")))
                .hasMessageContaining("asha is in tier gold");
        for (String wrong : List.of("anonymus", "tiers.gold.requests", "pool.x", "tiers.")) {
            assertThatThrownBy(() -> change(asha, new Setting(wrong, "1")))
                    .hasMessageContaining("no setting");
        }
        assertThatThrownBy(() ->
                        change(
                                asha,
                                new Setting("anonymous", "on"),
                                new Setting("pool.lease_millis", "soon")))
                .hasMessageContaining("whole number");
        assertThat(log.state().accounts().access().anonymous()).isFalse();
    }

    @Test
    void callersOfOneIpv6NetworkAreOneAccount() {
        assertThat(Doorkeeper.network(address("2001:db8:1:2:aaaa::1")))
                .isEqualTo(Doorkeeper.network(address("2001:db8:1:2::9")))
                .isNotEqualTo(Doorkeeper.network(address("2001:db8:1:3::9")));
    }

    private static void forbidden(org.assertj.core.api.ThrowableAssert.ThrowingCallable what) {
        assertThatThrownBy(what)
                .isInstanceOfSatisfying(
                        AccountDesk.Refused.class,
                        no -> assertThat(no.why()).isEqualTo(AccountDesk.Why.FORBIDDEN));
    }

    @Test
    void whatIsNotSaidStaysAsSomebodyElseMadeIt() {
        log.raise();
        change(host(), new Setting("tiers.gold.tokens_per_day", "5"));
        desk.create(host(), "asha", "", "", "");
        AccountDesk elsewhere = new AccountDesk(log, new Random(8), () -> 78);
        elsewhere.create(host(), "asha", "service", "", "");
        AccountDesk.Made made = desk.create(host(), "asha", "", "gold", "");
        assertThat(made.listed().account().role()).isEqualTo(Role.SERVICE);
        assertThat(made.listed().account().tier()).isEqualTo("gold");
        assertThat(log.state().accounts().accounts()).hasSize(1);
    }

    @Test
    void aPolicyChangesOnlyIfItStandsAsExpected() {
        log.raise();
        Setting five = new Setting("tiers.gold.tokens_per_day", "5");
        Setting six = new Setting("tiers.gold.tokens_per_day", "6");
        Setting none = new Setting("tiers.gold.tokens_per_day", "");
        desk.change(host(), List.of(five), List.of(none));
        desk.change(host(), List.of(six), List.of(five, new Setting("anonymous", "on")));
        assertThatThrownBy(() -> desk.change(host(), List.of(five), List.of(five)))
                .isInstanceOfSatisfying(
                        AccountDesk.Refused.class,
                        no -> assertThat(no.why()).isEqualTo(AccountDesk.Why.OVERTAKEN))
                .hasMessage("tiers.gold.tokens_per_day is '6' and not '5'.");
        assertThat(desk.latestPolicy().all()).containsEntry(six.name(), "6");
    }

    @Test
    void aCoordinatorThatReachesNobodyServesWhoRunsItOnly() {
        Caller operator = host();
        String key = desk.create(operator, "asha", "", "", "").secret();
        log.ageMillis = Doorkeeper.MOST_AGE_MILLIS;
        assertThat(known("Bearer " + key, null).name()).isEqualTo("asha");
        log.ageMillis = Doorkeeper.MOST_AGE_MILLIS + 1;
        for (String header : List.of("Bearer " + key, "Bearer none")) {
            assertThat(door.identify(header, null, HERE))
                    .isInstanceOfSatisfying(
                            Doorkeeper.Entry.Refused.class,
                            no ->
                                    assertThat(no.problem().kind())
                                            .isEqualTo(Problem.Kind.NOT_LEADER));
        }
        assertThat(host()).isEqualTo(operator);
    }

    private void change(Caller caller, Setting... settings) {
        desk.change(caller, List.of(settings), List.of());
    }

    private Caller host() {
        return known("Bearer " + hostKey, null);
    }

    private Caller known(@Nullable String authorization, @Nullable String apiKey) {
        return ((Doorkeeper.Entry.Known) door.identify(authorization, apiKey, HERE)).caller();
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
