package coop.sahkar.deploy.rules;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who may know whom. */
class ArchitectureTest {
    private static final String OURS = "coop.sahkar..";
    private static final String GENERATED = "coop.sahkar.proto.v1..";

    /** Packages that turn messages of the wire into values and back. */
    private static final String[] EDGES = {
        "coop.sahkar.proto..",
        "coop.sahkar.client..",
        "coop.sahkar.coordinator",
        "coop.sahkar.coordinator.cluster..",
        "coop.sahkar.coordinator.control..",
        "coop.sahkar.coordinator.gateway..",
        "coop.sahkar.coordinator.identity..",
        "coop.sahkar.coordinator.log..",
        "coop.sahkar.coordinator.routing..",
        "coop.sahkar.worker.agent..",
        "coop.sahkar.worker.head..",
        "coop.sahkar.worker.relay..",
        "coop.sahkar.worker.peers..",
        "coop.sahkar.worker.ring..",
        "coop.sahkar.worker.store..",
        "coop.sahkar.deploy.."
    };

    /** Packages that are functions of their arguments. */
    private static final String[] CORES = {
        "coop.sahkar.governance..",
        "coop.sahkar.coordinator.state..",
        "coop.sahkar.coordinator.placement.."
    };

    /** The same of single classes, in packages that also hold threads or sockets. */
    private static final List<String> CORE_CLASSES =
            List.of(
                    "coop.sahkar.client.http.Rests",
                    "coop.sahkar.client.routing.Course",
                    "coop.sahkar.client.routing.Meter",
                    "coop.sahkar.client.routing.Need",
                    "coop.sahkar.client.routing.Policy",
                    "coop.sahkar.client.routing.Router",
                    "coop.sahkar.client.routing.Standing",
                    "coop.sahkar.client.routing.Standings",
                    "coop.sahkar.client.routing.TokenEstimate",
                    "coop.sahkar.client.routing.Window",
                    "coop.sahkar.coordinator.gateway.AdmissionQueue",
                    "coop.sahkar.coordinator.gateway.HeadWatch",
                    "coop.sahkar.coordinator.gateway.RequestRules",
                    "coop.sahkar.coordinator.gateway.ResumePlan",
                    "coop.sahkar.coordinator.relay.Meter",
                    "coop.sahkar.coordinator.relay.RelayRules",
                    "coop.sahkar.coordinator.routing.Coverage",
                    "coop.sahkar.coordinator.routing.Offers",
                    "coop.sahkar.coordinator.routing.Readiness",
                    "coop.sahkar.coordinator.routing.RouteGraph",
                    "coop.sahkar.coordinator.routing.RepairRouter",
                    "coop.sahkar.coordinator.routing.Router",
                    "coop.sahkar.coordinator.routing.StagePrice",
                    "coop.sahkar.coordinator.usage.UsageBook",
                    "coop.sahkar.coordinator.usage.UsageMeter",
                    "coop.sahkar.coordinator.usage.UsageSheet",
                    "coop.sahkar.proto.Cuts",
                    "coop.sahkar.proto.LlamaRelease",
                    "coop.sahkar.worker.agent.Reconciler",
                    "coop.sahkar.worker.engine.Admission",
                    "coop.sahkar.worker.engine.BatchPolicy",
                    "coop.sahkar.worker.engine.BoundaryLog",
                    "coop.sahkar.worker.engine.FrameCut",
                    "coop.sahkar.worker.engine.LogBudget",
                    "coop.sahkar.worker.engine.LogPage",
                    "coop.sahkar.worker.engine.ReplayFrames",
                    "coop.sahkar.worker.engine.SessionRules",
                    "coop.sahkar.worker.engine.StageSession",
                    "coop.sahkar.worker.gguf.ModelManifest",
                    "coop.sahkar.worker.gguf.ShardPlan",
                    "coop.sahkar.worker.head.TextAssembler",
                    "coop.sahkar.worker.peers.PeerBook");

    private static JavaClasses ours = new ClassFileImporter().importPackages();

    @BeforeAll
    static void read() {
        ours =
                new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("coop.sahkar");
    }

    @Test
    void modulesKnowOnlyWhatTheyMay() {
        mayKnow("coop.sahkar.proto..");
        mayKnow("coop.sahkar.governance..", "coop.sahkar.proto..");
        mayKnow("coop.sahkar.worker..", "coop.sahkar.proto..");
        mayKnow("coop.sahkar.client..", "coop.sahkar.proto..");
        mayKnow("coop.sahkar.coordinator..", "coop.sahkar.governance..", "coop.sahkar.proto..");
    }

    @Test
    void ratisIsKnownInOnePackage() {
        noClasses()
                .that()
                .resideOutsideOfPackage("coop.sahkar.coordinator.raft..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.apache.ratis..")
                .check(ours);
    }

    @Test
    void nativeCodeIsCalledInOnePackage() {
        noClasses()
                .that()
                .resideOutsideOfPackage("coop.sahkar.worker.llama..")
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(Linker.class, SymbolLookup.class, FunctionDescriptor.class)
                .check(ours);
    }

    @Test
    void messagesOfTheWireStayAtTheEdges() {
        noClasses()
                .that()
                .resideOutsideOfPackages(EDGES)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(GENERATED)
                .check(ours);
    }

    @Test
    void coresTouchNoWorld() {
        noClasses()
                .that(resideInAnyPackage(CORES).or(describe("are cores", ArchitectureTest::isCore)))
                .and()
                .doNotHaveSimpleName("PlacementLoop") // the thread round the planner
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.io..",
                        "java.net..",
                        "java.nio.file..",
                        "java.nio.channels..",
                        "java.util.concurrent..",
                        "io.grpc..",
                        "org.slf4j..")
                .orShould()
                .dependOnClassesThat()
                .belongToAnyOf(Thread.class, Random.class, UUID.class, HashMap.class, HashSet.class)
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(Math.class, "random")
                .check(ours);
    }

    @Test
    void coresAreWhereTheyAreSaidToBe() {
        assertThat(CORE_CLASSES).allMatch(ours::contain);
    }

    /** Classes inside a core are of it. */
    private static boolean isCore(JavaClass type) {
        return CORE_CLASSES.contains(type.getName().replaceFirst("\\$.*", ""));
    }

    private static void mayKnow(String module, String... others) {
        String[] allowed = new String[others.length + 1];
        System.arraycopy(others, 0, allowed, 0, others.length);
        allowed[others.length] = module;
        DescribedPredicate<JavaClass> fine =
                JavaClass.Predicates.resideOutsideOfPackage(OURS).or(resideInAnyPackage(allowed));
        classes()
                .that()
                .resideInAPackage(module)
                .should()
                .onlyDependOnClassesThat(fine)
                .check(ours);
    }
}
