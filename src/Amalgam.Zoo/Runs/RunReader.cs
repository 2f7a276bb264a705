using System.Collections.Immutable;
using System.Globalization;
using Amalgam.Merging.Recipes;
using Amalgam.Training;
using Amalgam.Training.Data;
using Amalgam.Transfer;
using Amalgam.Transfer.Teaching;

namespace Amalgam.Zoo.Runs;

/// <summary>Reads run descriptions: every key is known, every value is of its kind and in its range.</summary>
internal static class RunReader
{
    /// <summary>Says that validation data is the data set's own part.</summary>
    public const string Own = "own";

    private static readonly RecipeLevel Run = new("a run", ["data", "model", "loss", "distill", "optimizer", "schedule", "lr", "epochs", "batch", "drop_last", "seed", "train", "output"]);
    private static readonly RecipeLevel Data = new("data", ["name", "options", "validation", "seed", "limit", "classes", "groups", "part", "augment", "mean", "std"]);
    private static readonly RecipeLevel Part = new("a part of the data", ["classes", "share", "seed", "rest"]);
    private static readonly RecipeLevel Augment = new("augment", ["flip", "crop", "rotation"]);
    private static readonly RecipeLevel CrossEntropy = new("the loss cross_entropy", ["name", "label_smoothing", "target"]);
    private static readonly RecipeLevel Cosine = new("the loss cosine", ["name", "class_vectors", "rows", "scale", "label_smoothing", "target"]);
    private static readonly RecipeLevel Entropy = new("the loss entropy", ["name"]);
    private static readonly RecipeLevel PlainLoss = new("this loss", ["name", "target"]);
    private static readonly RecipeLevel Group = new("a group of parameters", ["match", "lr_scale", "weight_decay"]);
    private static readonly ImmutableArray<string> OfEveryOptimizer = ["name", "weight_decay", "no_decay", "decay_vectors", "clip_norm", "groups"];
    private static readonly ImmutableArray<string> Optimizers = ["sgd", "adam", "adamw"], Scopes = ["splice", "all"], Schedules = ["constant", "step", "multistep", "cosine", "linear"];

    /// <param name="node">The description.</param>
    /// <param name="model">What learns where it does not say it; null where it must.</param>
    public static RunDescription Read(RecipeNode node, ModelDescription? model)
    {
        if (!node.IsMapping) throw node.Unexpected("a run, a mapping with data, model, lr and epochs");
        if (model is null) RefuseOther(node);
        return Read(node, node.Fields(Run), model);
    }

    /// <summary>Refuses what another verb takes, by that verb's name.</summary>
    private static void RefuseOther(RecipeNode node)
    {
        var entries = node.Entries("a run").ToArray();
        if (entries.FirstOrDefault(e => e.Key is "models" or "transfers") is not { Key: { } key } of) return;
        throw of.Position.Refuse($"'{key}' is no key of a run: this is {(entries.Any(e => e.Key == "merge_method") ? "a recipe for amalgam merge" : "a description for amalgam transfer")}");
    }

    /// <param name="node">Where the description stands.</param>
    /// <param name="fields">Its values by key, which may stand elsewhere.</param>
    /// <param name="model">What learns where it does not say it; null where it must.</param>
    public static RunDescription Read(RecipeNode node, Dictionary<string, RecipeNode> fields, ModelDescription? model)
    {
        RunDescription run = new()
        {
            Data = ReadData(Required(node, fields, "data")),
            Model = model is not null && !fields.ContainsKey("model") ? model : ReadModel(Required(node, fields, "model")),
            Loss = fields.TryGetValue("loss", out RecipeNode loss) ? ReadLoss(loss) : new("cross_entropy"),
            Distill = fields.TryGetValue("distill", out RecipeNode distill) ? ReadDistill(distill) : null,
            Schedule = fields.TryGetValue("schedule", out RecipeNode schedule) ? ReadSchedule(schedule) : new ConstantRate(),
            Rate = Number(Required(node, fields, "lr"), "a learning rate above 0", x => x > 0),
            Epochs = Required(node, fields, "epochs").Count("a number of epochs"),
            Batch = fields.TryGetValue("batch", out RecipeNode batch) ? FromOne(batch, "a number of samples from 1 on") : 128,
            DropLast = Flag(fields, "drop_last", false),
            Seed = Whole(fields, "seed"),
            Train = fields.TryGetValue("train", out RecipeNode train) ? (OneOf(train, "a scope", Scopes) == "all" ? TrainScope.All : TrainScope.Splice) : null,
            Output = Word(fields, "output", "a folder"),
            Place = node.Position.ToString(),
        };
        return fields.TryGetValue("optimizer", out RecipeNode optimizer) ? ReadOptimizer(optimizer, run) : run;
    }

    public static DataDescription ReadData(RecipeNode node)
    {
        if (!node.IsMapping) return new(NotEmpty(node, "the name of a data set, or a mapping {name, ...}"));
        var fields = node.Fields(Data);
        if (fields.ContainsKey("classes") && fields.TryGetValue("groups", out RecipeNode both)) throw both.Position.Refuse("'groups' says which classes are learned; leave out 'classes'");
        bool own = fields.TryGetValue("validation", out RecipeNode validation) && validation.IsScalar && validation.Text("") == Own;
        Augmentation augmentation = fields.TryGetValue("augment", out RecipeNode augment) ? ReadAugmentation(augment) : new();
        return new(NotEmpty(Required(node, fields, "name"), "the name of a data set"))
        {
            Options = fields.TryGetValue("options", out RecipeNode options) ? Options(options.Entries("options of the data set, a mapping")) : ImmutableDictionary<string, string>.Empty,
            Validation = own || validation.Yaml is null ? 0 : validation.Count($"a number of samples, or {Own} for the data set's own part"),
            OwnValidation = own,
            Seed = Whole(fields, "seed"),
            Limit = fields.TryGetValue("limit", out RecipeNode limit) ? FromOne(limit, "a number of samples from 1 on") : null,
            Classes = fields.TryGetValue("classes", out RecipeNode classes) ? Numbers(classes) : [],
            Groups = fields.TryGetValue("groups", out RecipeNode groups) ? [.. groups.Items("a list of groups, each a list of class numbers").Select(Numbers)] : [],
            Part = fields.TryGetValue("part", out RecipeNode part) ? ReadPart(part) : null,
            Augmentation = augmentation with { Mean = Numbers(fields, "mean", "a number", _ => true), Deviation = Numbers(fields, "std", "a number above 0", x => x > 0) },
        };
    }

    private static SkillPart ReadPart(RecipeNode node)
    {
        var fields = node.Fields(Part);
        return new(Numbers(Required(node, fields, "classes")), Number(Required(node, fields, "share"), "a share from 0 to 1", x => x is >= 0 and <= 1), Whole(fields, "seed"), Flag(fields, "rest", false));
    }

    private static Augmentation ReadAugmentation(RecipeNode node)
    {
        var fields = node.Fields(Augment);
        return new()
        {
            Flip = Flag(fields, "flip", false),
            Pad = fields.TryGetValue("crop", out RecipeNode crop) ? crop.Count("a number of pixels") : 0,
            Rotation = (float)Number(fields, "rotation", 0, "degrees, 0 or more", x => x is >= 0 and <= 360),
        };
    }

    public static ModelDescription ReadModel(RecipeNode node)
    {
        if (!node.IsMapping) return new(NotEmpty(node, "the name of a model, a path to an .onnx file or a folder of Hugging Face, or a mapping {name, ...}"));
        var entries = node.Entries("a model").Where(e => !e.Value.IsNull).ToArray();
        var fields = entries.ToDictionary(e => e.Key, e => e.Value);
        return new(NotEmpty(Required(node, fields, "name"), "the name of a model or a path to an .onnx file"))
        {
            Weights = Word(fields, "weights", "a checkpoint"),
            Freeze = Patterns(fields, "freeze"),
            Options = Options(entries.Where(e => e.Key is not ("name" or "weights" or "freeze"))),
        };
    }

    private static LossDescription ReadLoss(RecipeNode node)
    {
        if (!node.IsMapping) return new(OneOf(node, "a loss", [.. LossDescription.Names.Where(n => n != "cosine")]));
        string name = OneOf(Named(node), "a loss", LossDescription.Names);
        var fields = node.Fields(name switch { "cross_entropy" => CrossEntropy, "cosine" => Cosine, "entropy" => Entropy, _ => PlainLoss });
        LossDescription loss = new(name)
        {
            LabelSmoothing = Number(fields, "label_smoothing", 0, "a share from 0 up to, without, 1", x => x is >= 0 and < 1),
            ClassVectors = Word(fields, "class_vectors", "a checkpoint"),
            Rows = fields.TryGetValue("rows", out RecipeNode rows) ? Numbers(rows) : [],
            Scale = Number(fields, "scale", 100, "a number above 0", x => x > 0),
            Target = Word(fields, "target", "a field of the data"),
        };
        return name != "cosine" || loss.ClassVectors is not null ? loss : throw node.Position.Refuse("the loss cosine needs 'class_vectors', which is missing");
    }

    private static DistillDescription ReadDistill(RecipeNode node)
    {
        RecipeNode named = node.IsMapping ? node.Entries("distill").FirstOrDefault(e => e.Key == "method").Value : node;
        Distillation method = named.Yaml is null ? new Kd() : Distillation.Find(OneOf(named, "a method", [.. Distillation.All.Select(way => way.Name)]))!;
        var fields = node.IsMapping ? node.Fields(new($"the method {method.Name}", ["method", "teachers", "solo", .. method.Parameters.Select(p => p.Name)])) : [];
        foreach (string name in method.Parameters.Select(p => p.Name).Where(fields.ContainsKey).ToArray())
        {
            TeachingParameter parameter = method.Parameters.First(p => p.Name == name);
            method = parameter.With(fields[name].Text(parameter.Expected)) ?? throw fields[name].Unexpected(parameter.Expected);
        }

        var teachers = ReadTeachers(node, fields, method);
        return new(method, [.. teachers.Select(teacher => teacher.Path)]) { Solo = Flag(fields, "solo", false), Place = node.Position.ToString(), TeacherPlaces = [.. teachers.Select(teacher => teacher.Place)] };
    }

    private static ImmutableArray<(string Path, string Place)> ReadTeachers(RecipeNode node, Dictionary<string, RecipeNode> fields, Distillation method)
    {
        if (method.FewestTeachers == 0 && !fields.ContainsKey("teachers")) return [];
        RecipeNode teachers = Required(node, fields, "teachers");
        const string What = "a trained network, or a list of them";
        ImmutableArray<(string, string)> paths = [.. (teachers.IsList ? teachers.Items(What) : [teachers]).Select(item => (NotEmpty(item, What), item.Position.ToString()))];
        return paths.IsEmpty ? throw teachers.Unexpected(What) : paths.Length > method.MostTeachers ? throw teachers.Position.Refuse(method.Takes(paths.Length)) : paths;
    }

    private static RunDescription ReadOptimizer(RecipeNode node, RunDescription run)
    {
        var (rule, fields) = ReadRule(node, OfEveryOptimizer);
        return run with
        {
            Optimizer = rule,
            NoDecay = Patterns(fields, "no_decay"),
            DecayVectors = Flag(fields, "decay_vectors", true),
            ClipNorm = fields.TryGetValue("clip_norm", out RecipeNode clip) ? Number(clip, "a number above 0", x => x > 0) : null,
            Groups = fields.TryGetValue("groups", out RecipeNode groups) ? [.. groups.Items("groups, a list of {match, lr_scale, weight_decay}").Select(ReadGroup)] : [],
        };
    }

    /// <summary>Reads an optimiser's rule.</summary>
    /// <param name="node">Its name, or a mapping with it.</param>
    /// <param name="others">Keys that every optimiser may have here.</param>
    /// <returns>The rule, and what stands under all keys.</returns>
    public static (UpdateRule Rule, Dictionary<string, RecipeNode> Fields) ReadRule(RecipeNode node, ImmutableArray<string> others)
    {
        string name = OneOf(Named(node), "an optimizer", Optimizers);
        Dictionary<string, RecipeNode> fields = node.IsMapping ? node.Fields(new($"the optimizer {name}", [.. others, .. name == "sgd" ? (string[])["momentum", "nesterov"] : ["beta1", "beta2", "epsilon"]])) : [];
        const string Share = "a number from 0 up to, without, 1";
        double decay = Number(fields, "weight_decay", name == "adamw" ? 0.01 : 0, "a number from 0 on", x => x >= 0);
        double Beta(string key, double usual) => Number(fields, key, usual, Share, x => x is >= 0 and < 1);
        double epsilon = Number(fields, "epsilon", 1e-8, "a number above 0", x => x > 0);
        double momentum = Beta("momentum", 0.9);
        bool nesterov = Flag(fields, "nesterov", false);
        if (nesterov && momentum == 0) throw fields["nesterov"].Position.Refuse("nesterov needs a momentum above 0");
        UpdateRule rule = name switch
        {
            "adam" => new Adam(Beta("beta1", 0.9), Beta("beta2", 0.999), epsilon, decay),
            "adamw" => new AdamW(Beta("beta1", 0.9), Beta("beta2", 0.999), epsilon, decay),
            _ => new Sgd(momentum, nesterov, decay),
        };
        return (rule, fields);
    }

    private static RateGroup ReadGroup(RecipeNode node)
    {
        var fields = node.Fields(Group);
        double? decay = fields.TryGetValue("weight_decay", out RecipeNode own) ? Number(own, "a number from 0 on", x => x >= 0) : null;
        return new(Pattern(Required(node, fields, "match")), Number(fields, "lr_scale", 1, "a number from 0 on", x => x >= 0), decay);
    }

    public static Schedule ReadSchedule(RecipeNode node)
    {
        string name = OneOf(Named(node), "a schedule", Schedules);
        string[] own = name switch { "step" => ["every", "factor"], "multistep" => ["milestones", "factor"], "constant" => [], _ => ["last", "per_epoch"] };
        var fields = node.IsMapping ? node.Fields(new($"the schedule {name}", ["name", "warmup", .. own])) : [];
        double warmup = Number(fields, "warmup", 0, "a number of epochs from 0 on", x => x >= 0);
        double factor = Number(fields, "factor", 0.1, "a number above 0", x => x > 0), last = Number(fields, "last", 0, "a share from 0 to 1", x => x is >= 0 and <= 1);
        bool perEpoch = Flag(fields, "per_epoch", false);
        return name switch
        {
            "step" => new StepRate(FromOne(Required(node, fields, "every"), "a number of epochs from 1 on"), factor, warmup),
            "multistep" => new MultiStepRate([.. Required(node, fields, "milestones").Items("a list of epochs").Select(m => m.Count("an epoch"))], factor, warmup),
            "cosine" => new CosineRate(last, warmup, perEpoch),
            "linear" => new LinearRate(last, warmup, perEpoch),
            _ => new ConstantRate(warmup),
        };
    }

    /// <summary>The name of a thing that is written as a word, or as a mapping with a name.</summary>
    public static RecipeNode Named(RecipeNode node)
    {
        if (!node.IsMapping) return node;
        RecipeNode name = node.Entries("a mapping").FirstOrDefault(e => e.Key == "name").Value;
        return name.Yaml is null ? throw node.Position.Refuse("'name' is missing here") : name;
    }

    public static string OneOf(RecipeNode node, string what, ImmutableArray<string> names)
    {
        string name = node.Text($"{what} ({string.Join(", ", names)})");
        return names.Contains(name) ? name : throw node.Position.Refuse($"there is no {what.Split(' ', 2)[1]} {Nearest.Quote(name)} here{Nearest.Hint(name, names)}; known are {string.Join(", ", names)}");
    }

    /// <summary>Options as texts: a list becomes its items with commas between.</summary>
    private static ImmutableDictionary<string, string> Options(IEnumerable<(string Key, RecipePosition Position, RecipeNode Value)> entries) =>
        entries.ToImmutableDictionary(e => e.Key, e => !e.Value.IsList ? e.Value.Text("a word, a number or a list") : string.Join(',', e.Value.Items("a list").Select(i => i.Text("a word or a number"))));

    public static ImmutableArray<string> Patterns(Dictionary<string, RecipeNode> fields, string key) =>
        !fields.TryGetValue(key, out RecipeNode node) ? [] : node.IsList ? [.. node.Items("name patterns").Select(Pattern)] : [Pattern(node)];

    private static string Pattern(RecipeNode node)
    {
        string text = node.Text("a name pattern");
        return node.Position.Locate(() => NamePattern.Parse(text, plainIsGlob: false)).Text;
    }

    private static ImmutableArray<int> Numbers(RecipeNode node) => [.. node.Items("a list of class numbers").Select(c => c.Count("a class number"))];

    private static ImmutableArray<float> Numbers(Dictionary<string, RecipeNode> fields, string key, string what, Func<double, bool> allowed)
    {
        if (!fields.TryGetValue(key, out RecipeNode node)) return [];
        return node.IsList ? [.. node.Items($"{what} for each channel").Select(item => (float)Number(item, what, allowed))] : [(float)Number(node, $"{what} for each channel", allowed)];
    }

    public static double Number(Dictionary<string, RecipeNode> fields, string key, double usual, string what, Func<double, bool> allowed) =>
        fields.TryGetValue(key, out RecipeNode node) ? Number(node, what, allowed) : usual;

    public static double Number(RecipeNode node, string what, Func<double, bool> allowed)
    {
        if (node.Flag is not null || node.Number is not { } number) throw node.Unexpected(what);
        if (double.IsInfinity(number)) throw node.TooLarge(what);
        return double.IsFinite(number) && allowed(number) ? number : throw node.Unexpected(what);
    }

    public static int FromOne(RecipeNode node, string what) => node.Count(what) is > 0 and var count ? count : throw node.Unexpected(what);

    public static long Whole(Dictionary<string, RecipeNode> fields, string key)
    {
        if (!fields.TryGetValue(key, out RecipeNode node)) return 0;
        string text = node.Text("a whole number");
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value)) return value;
        throw text.Length > 1 && text.AsSpan(1).ContainsAnyExceptInRange('0', '9') is false && (text[0] is '-' or '+' || char.IsAsciiDigit(text[0])) ? node.TooLarge("a whole number") : node.Unexpected("a whole number");
    }

    public static bool Flag(Dictionary<string, RecipeNode> fields, string key, bool usual) =>
        fields.TryGetValue(key, out RecipeNode node) ? node.Flag ?? throw node.Unexpected("true or false") : usual;

    public static string? Word(Dictionary<string, RecipeNode> fields, string key, string what) => fields.TryGetValue(key, out RecipeNode node) ? NotEmpty(node, what) : null;

    /// <summary>A text that is not empty: it names something.</summary>
    private static string NotEmpty(RecipeNode node, string what) => node.Text(what) is var text && !string.IsNullOrWhiteSpace(text) ? text : throw node.Unexpected(what);

    public static RecipeNode Required(RecipeNode node, Dictionary<string, RecipeNode> fields, string key) =>
        fields.TryGetValue(key, out RecipeNode value) ? value : throw node.Position.Refuse($"'{key}' is missing here");
}
