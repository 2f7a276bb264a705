namespace Amalgam.Checkpoints;

/// <summary>A class or function that a pickle names; a name, never the thing.</summary>
internal sealed record PickleGlobal(string Module, string Name)
{
    public override string ToString() => $"{Module}.{Name}";
}

/// <summary>A call that a pickle asks for; kept as data, never made.</summary>
internal sealed class PickleCall(PickleGlobal function, object?[] arguments)
{
    public PickleGlobal Function => function;

    public object?[] Arguments => arguments;
}

/// <summary>A reference to something outside the pickle.</summary>
internal sealed class PicklePersistent(object? id)
{
    public object? Id => id;
}

/// <summary>A dictionary as it was written: in order, repeated keys included.</summary>
internal sealed class PickleDict
{
    public List<KeyValuePair<object?, object?>> Entries { get; } = [];

    public object? Find(string key) => Entries.FirstOrDefault(e => e.Key is string k && k == key).Value;
}
