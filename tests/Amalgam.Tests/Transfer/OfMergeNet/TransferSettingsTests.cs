using System.Globalization;
using System.Reflection;
using Amalgam.Training;
using Amalgam.Transfer.MergeNet;

namespace Amalgam.Tests.Transfer.OfMergeNet;

public class TransferSettingsTests
{
    public static TheoryData<Type, ParameterAdapter[]> Adapters
    {
        get
        {
            LowRankAdapter usual = new();
            return new()
            {
                {
                    typeof(LowRankAdapter), [
                        usual, usual with { Layers = 3 }, usual with { Heads = 3 }, usual with { Unfoldings = Unfoldings.Rows }, usual with { Mixing = Mixing.Average }, usual with { Form = AdapterForm.Published },
                        usual with { AttentionDropout = 0.3 }, usual with { Dropout = 0.3 }, usual with { SourceEvolves = true }]
                },
                { typeof(MlpAdapter), [new MlpAdapter(), new MlpAdapter(5)] },
            };
        }
    }

    public static TheoryData<Type, UpdateRule[]> Rules
    {
        get
        {
            Sgd sgd = new(0.9);
            Adam adam = new();
            AdamW apart = new();
            return new()
            {
                { typeof(Sgd), [sgd, sgd with { Momentum = 0.8 }, sgd with { Nesterov = true }, sgd with { WeightDecay = 1e-4 }] },
                { typeof(Adam), [adam, adam with { Beta1 = 0.5 }, adam with { Beta2 = 0.5 }, adam with { Epsilon = 1e-6 }, adam with { WeightDecay = 1e-4 }] },
                { typeof(AdamW), [apart, apart with { Beta1 = 0.5 }, apart with { Beta2 = 0.5 }, apart with { Epsilon = 1e-6 }, apart with { WeightDecay = 1e-4 }] },
            };
        }
    }

    public static TheoryData<Type, Schedule[]> Schedules
    {
        get
        {
            StepRate step = new(3);
            MultiStepRate steps = new([1, 2]);
            CosineRate cosine = new();
            LinearRate linear = new();
            return new()
            {
                { typeof(ConstantRate), [new ConstantRate(), new ConstantRate(2), new ConstantRate { PerEpoch = true }] },
                { typeof(StepRate), [step, step with { Every = 4 }, step with { Drop = 0.5 }, step with { Warmup = 1.5 }, step with { PerEpoch = true }] },
                { typeof(MultiStepRate), [steps, steps with { Milestones = [1, 3] }, steps with { Drop = 0.5 }, steps with { Warmup = 1.5 }, steps with { PerEpoch = true }] },
                { typeof(CosineRate), [cosine, cosine with { Last = 0.1 }, cosine with { Warmup = 1.5 }, cosine with { PerEpoch = true }] },
                { typeof(LinearRate), [linear, linear with { Last = 0.1 }, linear with { Warmup = 1.5 }, linear with { PerEpoch = true }] },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Every_option_of_an_adapter_is_in_its_description(Type type, ParameterAdapter[] each) => AllDiffer(type, [.. each.Select(adapter => adapter.Description)], each[0].Name);

    [Theory]
    [MemberData(nameof(Rules))]
    public void Every_constant_of_an_optimiser_is_in_its_text(Type type, UpdateRule[] each) => AllDiffer(type, [.. each.Select(RuleText.Of)], each[0].Name);

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Every_constant_of_a_schedule_is_in_its_text(Type type, Schedule[] each) => AllDiffer(type, [.. each.Select(RuleText.Of)], each[0].Name);

    /// <summary>Those that there are beside the ones tested here would be another run's by nothing but their name.</summary>
    [Fact]
    public void Every_adapter_optimiser_and_schedule_is_tested_here()
    {
        static IEnumerable<Type> Of(Type kind) => typeof(ParameterAdapter).Assembly.GetTypes().Where(type => type.IsSubclassOf(kind) && !type.IsAbstract);
        HashSet<Type> tested = [.. Adapters.Select(row => row.Data.Item1), .. Rules.Select(row => row.Data.Item1), .. Schedules.Select(row => row.Data.Item1)];
        Assert.Equal([.. Of(typeof(ParameterAdapter)), .. Of(typeof(UpdateRule)), .. Of(typeof(Schedule))], tested);
    }

    /// <summary>An application may run under any culture, and go on under another.</summary>
    [Fact]
    public void A_state_that_was_saved_under_one_culture_is_resumed_under_another()
    {
        using TemporaryFolder folder = new();
        TrainingOptions options = JointRuns.Options with { Epochs = 1 };
        KnowledgeTransfer transfer = new([JointTrainingTests.Of("a", 2) with { Rank = 2, Alpha = 1.5 }], JointTrainingTests.Of("b", 1), new LowRankAdapter { Heads = 2, Dropout = 0.25 }, 2)
        {
            Damping = 0.5,
            TrustRegion = 2.5,
            Rate = 0.0015,
            Optimizer = new AdamW(0.85, 0.995, 1e-7, 0.015),
            Schedule = new StepRate(1, 0.5, 0.25),
            ClipNorm = 7.5,
            Seed = -3,
        };
        JointTraining Create(KnowledgeTransfer of) => new([JointTrainingTests.Mlp("a", 1, options), JointTrainingTests.Mlp("b", 2, options)], [of], new() { StatePath = folder["state.safetensors"] });
        Assert.NotEqual("0.5", Under(WithCommas, () => $"{0.5}"));

        Under(WithCommas, () =>
        {
            Create(transfer).Run();
            return true;
        });
        Assert.True(Under(CultureInfo.InvariantCulture, () => Create(transfer).Resume()));
        Assert.True(Under(WithCommas, () => Create(transfer).Resume()));
        TrainingException other = Under(WithCommas, () => Assert.Throws<TrainingException>(() => Create(transfer with { Rate = 0.0025 }).Resume()));
        Assert.Contains("the setting 'learning rate' is 0.0015 there and 0.0025 here;", other.Message);
    }

    /// <summary>A culture as those of many languages are; made here, since a test may run where none is installed.</summary>
    private static CultureInfo WithCommas
    {
        get
        {
            CultureInfo culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator, culture.NumberFormat.NegativeSign) = (",", ".", "~");
            return culture;
        }
    }

    private static T Under<T>(CultureInfo culture, Func<T> run)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = culture;
            return run();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    /// <summary>One text of the usual, and one of each property that can be set.</summary>
    private static void AllDiffer(Type type, string[] texts, string name)
    {
        int settable = type.GetProperties().Count(property => property.CanWrite || IsParameter(type, property));
        Assert.Equal(1 + settable, texts.Length);
        Assert.Equal(texts.Length, texts.Distinct().Count());
        Assert.All(texts, text => Assert.StartsWith(name + ", ", text));
    }

    private static bool IsParameter(Type type, PropertyInfo property) =>
        type.GetConstructors().Any(made => made.GetParameters().Any(parameter => parameter.Name == property.Name && parameter.ParameterType == property.PropertyType));
}
